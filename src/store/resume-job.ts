import { CodedError } from '../protocol/errors.ts';
import type { Job } from '../protocol/job.ts';
import { setPause } from './set-pause.ts';
import type { Store } from './store.ts';

/**
 * Lets a paused job go on.
 * @throws CodedError JOB_NOT_FOUND, JOB_ENDED, JOB_NOT_PAUSED
 */
export async function resumeJob(store: Store, id: string): Promise<Job> {
  const { job, changed } = await setPause(store, id, false);
  if (!changed) throw new CodedError('JOB_NOT_PAUSED', 'expected a paused job; this one is not');
  return job;
}
