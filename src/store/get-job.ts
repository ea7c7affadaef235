import type { Job } from '../protocol/job.ts';
import { toJob, WHOLE_JOB_COLUMNS } from './rows.ts';
import type { Store } from './store.ts';

/** The job, or null when there is none of that id. */
export async function getJob(store: Pick<Store, 'db' | 'config'>, id: string): Promise<Job | null> {
  const row = await store.db
    .selectFrom('jobs')
    .select(WHOLE_JOB_COLUMNS)
    .where('id', '=', id)
    .executeTakeFirst();
  return row ? toJob(row, store.config) : null;
}
