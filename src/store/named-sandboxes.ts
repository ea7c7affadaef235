import { sql } from 'kysely';
import type { Store } from './store.ts';

/** Ids of the sandboxes that jobs which have not ended name as theirs. */
export async function namedSandboxes(store: Store): Promise<Set<string>> {
  const rows = await store.db
    .selectFrom('jobs')
    .select(sql<string | null>`sandbox ->> 'id'`.as('id'))
    .where('status', 'in', ['scheduled', 'running', 'waiting'])
    .where('sandbox', 'is not', null)
    .execute();
  return new Set(rows.flatMap(({ id }) => id ?? []));
}
