import { isFinal, type Job } from '../protocol/job.ts';
import { endRow } from './end-row.ts';
import { getJob } from './get-job.ts';
import { lockJob } from './lock-job.ts';
import type { Store } from './store.ts';

/**
 * Cancels a job at once and for good, whatever it is doing; its worker is told and takes the sandbox away.
 * @returns `changed: false` with the job as it is when it has already ended; null when there is none.
 */
export async function cancelJob(store: Store, id: string): Promise<{ job: Job; changed: boolean } | null> {
  return await store.db.transaction().execute(async (trx) => {
    const locked = await lockJob(trx, id);
    if (!locked) return null;
    if (!isFinal(locked.status)) {
      const job = await endRow(store, trx, locked, { status: 'cancelled', error: null, summary: null });
      return { job, changed: true };
    }
    const job = await getJob({ db: trx, config: store.config }, id);
    return job && { job, changed: false };
  });
}
