import type { ErrorInfo } from '../protocol/errors.ts';
import type { Job } from '../protocol/job.ts';
import { closeLogs } from './close-logs.ts';
import { toJson } from './json.ts';
import type { LockedJob } from './lock-job.ts';
import { notifyControl } from './notify.ts';
import { toJob, WHOLE_JOB_COLUMNS } from './rows.ts';
import type { Store } from './store.ts';
import type { Trx } from './tables.ts';
import { WAITED_MS } from './waited.ts';
import { writeEvents } from './write-events.ts';

/** How a job ends. */
export interface Ending {
  status: 'complete' | 'failed' | 'cancelled';
  error: ErrorInfo | null;
  /** The agent's own words on what it did; null where it has none. */
  summary: string | null;
}

/**
 * Ends a locked job that has not ended: its status, event and logs are closed, it leaves the queue, its secrets are erased.
 */
export async function endRow(store: Store, trx: Trx, job: LockedJob, ending: Ending): Promise<Job> {
  const { status, error, summary } = ending;
  const row = await trx
    .updateTable('jobs')
    .set((eb) => ({
      status,
      error: error && toJson(error),
      completed: new Date(),
      waited_ms: WAITED_MS,
      waiting_since: null,
      queued: null,
      delivery_id: null,
      secrets: null,
      last_seq: eb('last_seq', '+', 1),
    }))
    .where('id', '=', job.id)
    .returning(WHOLE_JOB_COLUMNS)
    .executeTakeFirstOrThrow();
  await writeEvents(trx, job.id, row.last_seq, [{ type: 'job.ended', data: { status, error, summary } }]);
  await closeLogs(trx, job.id);
  if (job.delivery_id) await store.queue.remove(trx, job.delivery_id);
  await notifyControl(trx, job.id);
  return toJob(row, store.config);
}
