import type { Job } from '../protocol/job.ts';
import { setPause } from './set-pause.ts';
import type { Store } from './store.ts';

/**
 * Asks the job's worker to stop before the next step; asking again is no error.
 * @throws CodedError JOB_NOT_FOUND, JOB_ENDED
 */
export async function pauseJob(store: Store, id: string): Promise<Job> {
  return (await setPause(store, id, true)).job;
}
