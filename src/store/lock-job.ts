import { CodedError } from '../protocol/errors.ts';
import { isFinal } from '../protocol/job.ts';
import { type Fence, LeaseLost } from './fence.ts';
import type { Trx } from './tables.ts';

const COLUMNS = ['id', 'status', 'attempt', 'lost_attempts', 'priority', 'delivery_id', 'last_seq'] as const;

/** Locks a job's row until the transaction ends; null when there is none. Whoever changes a job takes this lock first. */
export async function lockJob(trx: Trx, jobId: string) {
  const row = await trx
    .selectFrom('jobs')
    .select(COLUMNS)
    .where('id', '=', jobId)
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

export type LockedJob = NonNullable<Awaited<ReturnType<typeof lockJob>>>;

/** Locks a job for the worker that holds it. @throws LeaseLost */
export async function lockFenced(trx: Trx, fence: Fence): Promise<LockedJob> {
  const row = await lockJob(trx, fence.jobId);
  if (!row || row.attempt !== fence.attempt || (row.status !== 'running' && row.status !== 'waiting')) {
    throw new LeaseLost(fence);
  }
  return row;
}

/** Locks a job that a client wants to change. @throws CodedError JOB_NOT_FOUND, or JOB_ENDED when it has ended. */
export async function lockLive(trx: Trx, jobId: string): Promise<LockedJob> {
  const row = await lockJob(trx, jobId);
  if (!row) throw new CodedError('JOB_NOT_FOUND', `there is no job ${jobId}`);
  if (isFinal(row.status)) {
    throw new CodedError('JOB_ENDED', `expected a job that goes on; it ended as ${row.status}`);
  }
  return row;
}
