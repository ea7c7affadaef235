import type { EventData } from '../protocol/events.ts';
import type { Fence } from './fence.ts';
import { lockFenced } from './lock-job.ts';
import { notifyJob } from './notify.ts';
import type { Store } from './store.ts';
import { writeEvents } from './write-events.ts';

/**
 * Puts a running job into `waiting`, with its event; of one that waits already: nothing. The time is counted in `waited_ms`.
 * @throws LeaseLost
 */
export async function setWaiting(
  store: Store,
  fence: Fence,
  reason: EventData<'job.waiting'>['reason'],
): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    const job = await lockFenced(trx, fence);
    if (job.status === 'waiting') return;
    const last_seq = job.last_seq + 1;
    await trx
      .updateTable('jobs')
      .set({ status: 'waiting', waiting_since: new Date(), last_seq })
      .where('id', '=', fence.jobId)
      .execute();
    await writeEvents(trx, fence.jobId, last_seq, [{ type: 'job.waiting', data: { reason } }]);
    await notifyJob(trx, fence.jobId);
  });
}
