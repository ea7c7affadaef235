import { isFinal } from '../protocol/job.ts';
import { type Ending, endRow } from './end-row.ts';
import { type Fence, LeaseLost } from './fence.ts';
import { lockJob } from './lock-job.ts';
import type { Store } from './store.ts';

/**
 * Ends the job, with its `job.ended` event; its secrets are erased and its delivery is done.
 * @returns false when it has already ended (cancelled, say), which never changes.
 * @throws LeaseLost when another attempt has begun.
 */
export async function endJob(store: Store, fence: Fence, ending: Ending): Promise<boolean> {
  return await store.db.transaction().execute(async (trx) => {
    const job = await lockJob(trx, fence.jobId);
    if (!job) throw new LeaseLost(fence);
    if (isFinal(job.status)) return false;
    if (job.attempt !== fence.attempt || job.status === 'scheduled') throw new LeaseLost(fence);
    await endRow(store, trx, job, ending);
    return true;
  });
}
