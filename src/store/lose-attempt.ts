import { CodedError, toErrorInfo } from '../protocol/errors.ts';
import { endRow } from './end-row.ts';
import type { LockedJob } from './lock-job.ts';
import type { Store } from './store.ts';
import type { Trx } from './tables.ts';

/** So many attempts in a row may be lost without a step done in between. */
export const MAX_LOST_ATTEMPTS = 3;

/**
 * Accounts for an attempt whose worker is gone. A job that was waiting did nothing that could bring a worker down,
 * so that is not counted.
 * @returns the count for the row to keep, or null when that was one too many and the job has failed with WORKER_LOST.
 */
export async function loseAttempt(store: Store, trx: Trx, job: LockedJob): Promise<number | null> {
  const lost = job.lost_attempts + (job.status === 'running' ? 1 : 0);
  if (lost < MAX_LOST_ATTEMPTS) return lost;
  const error = toErrorInfo(
    new CodedError(
      'WORKER_LOST',
      `${lost} workers in a row were lost while they ran the job, none of which finished a step`,
    ),
  );
  await endRow(store, trx, job, { status: 'failed', error, summary: null });
  return null;
}
