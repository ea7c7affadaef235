import type { Job } from '../protocol/job.ts';
import { JOB_COLUMNS, toJob } from './rows.ts';
import type { Store } from './store.ts';

/** How a job is, without what was asked for. */
export type JobState = Omit<Job, 'request'>;

const STATE_COLUMNS = JOB_COLUMNS.filter((column) => column !== 'request');

/** How the job is, or null when there is none of that id: for what is asked often, since a request may be megabytes. */
export async function peekJob(store: Pick<Store, 'db' | 'config'>, id: string): Promise<JobState | null> {
  const row = await store.db.selectFrom('jobs').select(STATE_COLUMNS).where('id', '=', id).executeTakeFirst();
  if (!row) return null;
  const { request: _none, ...state } = toJob({ ...row, request: {}, prompt: '' }, store.config);
  return state;
}
