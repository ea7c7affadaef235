import { sql } from 'kysely';
import type { LockedJob } from './lock-job.ts';
import { notifyJob } from './notify.ts';
import type { Store } from './store.ts';
import type { Trx } from './tables.ts';
import { WAITED_MS } from './waited.ts';
import { writeEvents } from './write-events.ts';

/** Puts a locked job that was under way back to `scheduled`, with its event, and into the queue after `delayS` seconds. */
export async function requeueRow(
  store: Store,
  trx: Trx,
  job: LockedJob,
  options: { reason: string; delayS?: number; lostAttempts?: number },
): Promise<void> {
  const { reason, delayS = 0, lostAttempts = job.lost_attempts } = options;
  if (job.delivery_id) await store.queue.remove(trx, job.delivery_id);
  const delivery_id = await store.queue.enqueue(trx, {
    jobId: job.id,
    priority: job.priority,
    delayS,
    again: true,
  });
  const last_seq = job.last_seq + 1;
  await trx
    .updateTable('jobs')
    .set({
      status: 'scheduled',
      delivery_id,
      lost_attempts: lostAttempts,
      queued: sql`now()`,
      waited_ms: WAITED_MS,
      waiting_since: null,
      last_seq,
    })
    .where('id', '=', job.id)
    .execute();
  await writeEvents(trx, job.id, last_seq, [{ type: 'job.requeued', data: { reason } }]);
  await notifyJob(trx, job.id);
}
