import type { Fence } from './fence.ts';
import { lockFenced } from './lock-job.ts';
import { notifyJob } from './notify.ts';
import type { Store } from './store.ts';
import { WAITED_MS } from './waited.ts';
import { writeEvents } from './write-events.ts';

/** Ends a job's wait, with its `job.resumed` event; of one that runs already: nothing. @throws LeaseLost */
export async function setRunning(store: Store, fence: Fence): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    const job = await lockFenced(trx, fence);
    if (job.status === 'running') return;
    const last_seq = job.last_seq + 1;
    await trx
      .updateTable('jobs')
      .set({ status: 'running', waited_ms: WAITED_MS, waiting_since: null, last_seq })
      .where('id', '=', fence.jobId)
      .execute();
    await writeEvents(trx, fence.jobId, last_seq, [{ type: 'job.resumed', data: {} }]);
    await notifyJob(trx, fence.jobId);
  });
}
