import type { Job } from '../protocol/job.ts';
import { lockLive } from './lock-job.ts';
import { notifyControl } from './notify.ts';
import { toJob, WHOLE_JOB_COLUMNS } from './rows.ts';
import type { Store } from './store.ts';

/**
 * Writes whether a job is to pause, and tells its worker.
 * @returns the job, and whether that was news.
 * @throws CodedError JOB_NOT_FOUND, JOB_ENDED
 */
export async function setPause(
  store: Store,
  id: string,
  pause: boolean,
): Promise<{ job: Job; changed: boolean }> {
  return await store.db.transaction().execute(async (trx) => {
    await lockLive(trx, id);
    const { numUpdatedRows } = await trx
      .updateTable('jobs')
      .set({ pause_requested: pause })
      .where('id', '=', id)
      .where('pause_requested', '=', !pause)
      .executeTakeFirst();
    const row = await trx
      .selectFrom('jobs')
      .select(WHOLE_JOB_COLUMNS)
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    await notifyControl(trx, id);
    return { job: toJob(row, store.config), changed: numUpdatedRows > 0n };
  });
}
