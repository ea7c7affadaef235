import { type RawBuilder, sql } from 'kysely';

/** `waited_ms` once the wait under way, if there is one, is over. */
export const WAITED_MS: RawBuilder<number> = sql<number>`waited_ms + coalesce(
  greatest(0, round(extract(epoch from now() - waiting_since) * 1000))::bigint, 0)`;
