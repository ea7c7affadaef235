import { sql } from 'kysely';
import { isFinal, type Job } from '../protocol/job.ts';
import { lockJob } from './lock-job.ts';
import { loseAttempt } from './lose-attempt.ts';
import { notifyJob } from './notify.ts';
import { toJob, WHOLE_JOB_COLUMNS } from './rows.ts';
import type { Store } from './store.ts';
import { WAITED_MS } from './waited.ts';
import { writeEvents } from './write-events.ts';

/**
 * Takes a job for a worker: status `running`, one more attempt, its `job.started` event. From then on whatever an
 * earlier attempt writes is refused.
 * @param options.deliveryId what the queue gave: a delivery that is no longer the caller's takes nothing.
 * @returns the job with its `attempt`; null when there is nothing to do: it has ended, or someone else has it.
 */
export async function startAttempt(
  store: Store,
  { jobId, workerId, deliveryId }: { jobId: string; workerId: string; deliveryId?: string },
): Promise<Job | null> {
  return await store.db.transaction().execute(async (trx) => {
    const job = await lockJob(trx, jobId);
    if (!job || isFinal(job.status)) return null;
    if (deliveryId !== undefined && !(await store.queue.holds(trx, deliveryId))) return null;
    // Taken from the queue although it seems to run: its worker is lost.
    const lost_attempts = job.status === 'scheduled' ? job.lost_attempts : await loseAttempt(store, trx, job);
    if (lost_attempts === null) return null;
    const row = await trx
      .updateTable('jobs')
      .set({
        status: 'running',
        attempt: job.attempt + 1,
        lost_attempts,
        worker_id: workerId,
        started: sql`coalesce(started, now())`,
        waited_ms: WAITED_MS,
        waiting_since: null,
        queued: null,
        last_seq: job.last_seq + 1,
      })
      .where('id', '=', jobId)
      .returning(WHOLE_JOB_COLUMNS)
      .executeTakeFirstOrThrow();
    const data = { attempt: row.attempt, worker: workerId };
    await writeEvents(trx, jobId, row.last_seq, [{ type: 'job.started', data }]);
    await notifyJob(trx, jobId);
    return toJob(row, store.config);
  });
}
