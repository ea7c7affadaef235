import { CodedError } from '../protocol/errors.ts';
import type { Job } from '../protocol/job.ts';
import { getJob } from '../store/get-job.ts';
import { type JobState, peekJob } from '../store/peek-job.ts';
import type { Store } from '../store/store.ts';

/**
 * The job of that id.
 * @throws CodedError JOB_NOT_FOUND
 */
export async function findJob(store: Store, id: string): Promise<Job> {
  return (await getJob(store, id)) ?? missing(id);
}

/**
 * How the job of that id is.
 * @throws CodedError JOB_NOT_FOUND
 */
export async function findState(store: Store, id: string): Promise<JobState> {
  return (await peekJob(store, id)) ?? missing(id);
}

/** @throws CodedError JOB_NOT_FOUND, always. */
export function missing(id: string): never {
  throw new CodedError('JOB_NOT_FOUND', `there is no job ${id}`);
}
