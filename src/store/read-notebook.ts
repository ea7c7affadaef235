import { sql } from 'kysely';
import type { JobEvent } from '../protocol/events.ts';
import { NOTEBOOK_EVENTS, type Notebook, notebookOf } from '../protocol/notebook.ts';
import type { Store } from './store.ts';

/** Written out, so that PostgreSQL sees that the index on these events serves. */
const KINDS = sql.join(NOTEBOOK_EVENTS.map((type) => sql.lit(type)));

/** The notes and the plan of a job's agent as they stand; empty for a job that has none. */
export async function readNotebook(store: Pick<Store, 'db'>, jobId: string): Promise<Notebook> {
  const rows = await store.db
    .selectFrom('events')
    .select(['seq', 'time', 'type', 'data'])
    .where('job_id', '=', jobId)
    .where(sql<boolean>`type in (${KINDS})`)
    .orderBy('seq')
    .execute();
  return notebookOf(rows.map((row) => ({ ...row, time: row.time.toISOString() }) as JobEvent));
}
