import type { Fence } from './fence.ts';
import { lockFenced } from './lock-job.ts';
import { requeueRow } from './requeue-row.ts';
import type { Store } from './store.ts';

/**
 * Hands a job back: `scheduled` again, with its event, and taken by whichever worker is free, after `delayS` seconds
 * (default at once). The delivery is done with it. Its sandbox stays in the row, for the next worker to reattach to.
 * @throws LeaseLost
 */
export async function requeueJob(store: Store, fence: Fence, reason: string, delayS = 0): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    const job = await lockFenced(trx, fence);
    await requeueRow(store, trx, job, { reason, delayS });
  });
}
