import type { Store } from './store.ts';

/**
 * Forgets a job's sandbox once it is destroyed, also after the job has ended. Left alone when `fence.attempt` is no
 * longer the job's: then the sandbox there is another one.
 */
export async function clearSandbox(store: Store, fence: { jobId: string; attempt: number }): Promise<void> {
  await store.db
    .updateTable('jobs')
    .set({ sandbox: null })
    .where('id', '=', fence.jobId)
    .where('attempt', '=', fence.attempt)
    .execute();
}
