import type { OutputInfo } from '../protocol/job.ts';
import { toJson } from './json.ts';
import { notifyJob } from './notify.ts';
import type { Store } from './store.ts';

/**
 * Writes what the committed output is, also of a job that has ended. `expires` is worked out from the job's end whenever it is read.
 * Of a job that is gone: nothing.
 */
export async function setOutput(store: Store, jobId: string, output: OutputInfo): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await trx
      .updateTable('jobs')
      .set({ output: toJson(output), output_expired: false })
      .where('id', '=', jobId)
      .execute();
    await notifyJob(trx, jobId);
  });
}
