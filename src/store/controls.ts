import type { JobStatus } from '../protocol/job.ts';
import type { Store } from './store.ts';

/** What a worker has to know of a job that it runs. */
export interface ControlState {
  status: JobStatus;
  attempt: number;
  pause_requested: boolean;
  last_seq: number;
}

/** The control states of these jobs by id; of one that is gone there is none. */
export async function controls(store: Store, jobIds: readonly string[]): Promise<Map<string, ControlState>> {
  if (jobIds.length === 0) return new Map();
  const rows = await store.db
    .selectFrom('jobs')
    .select(['id', 'status', 'attempt', 'pause_requested', 'last_seq'])
    .where('id', 'in', jobIds)
    .execute();
  return new Map(rows.map(({ id, ...state }) => [id, state]));
}
