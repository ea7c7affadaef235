import { type Fence, LeaseLost } from './fence.ts';
import { toJson } from './json.ts';
import type { Store } from './store.ts';

/** Writes which sandbox the job has; null for none. The handle is plain JSON. @throws LeaseLost */
export async function setSandbox(store: Store, fence: Fence, handle: unknown): Promise<void> {
  const { numUpdatedRows } = await store.db
    .updateTable('jobs')
    .set({ sandbox: handle === null ? null : toJson(handle) })
    .where('id', '=', fence.jobId)
    .where('attempt', '=', fence.attempt)
    .where('status', 'in', ['running', 'waiting'])
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new LeaseLost(fence);
}
