import { CodedError } from '../protocol/errors.ts';
import type { Store } from './store.ts';

/** How long a count holds: it takes 10 ms at 100,000 rows, too long for every request. */
const FRESH_MS = 1_000;
const depths = new WeakMap<Store, { count: number; at: number }>();

/**
 * Refuses when MAX_QUEUED_JOBS jobs wait. Within a second what this process adds is counted,
 * what others add or take is not.
 * @throws CodedError QUEUE_FULL
 */
export async function checkQueueDepth(store: Store): Promise<void> {
  const max = store.config.MAX_QUEUED_JOBS;
  let depth = depths.get(store);
  // A full queue is looked at anew each time, so that room is seen as soon as it is there.
  if (!depth || performance.now() - depth.at > FRESH_MS || depth.count >= max) {
    const { count } = await store.db
      .selectFrom('jobs')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('status', '=', 'scheduled')
      .executeTakeFirstOrThrow();
    depth = { count, at: performance.now() };
    depths.set(store, depth);
  }
  if (depth.count < max) return;
  throw new CodedError('QUEUE_FULL', `expected fewer than ${max} jobs in the queue; found ${depth.count}`);
}

/** To be called for each job that was scheduled. */
export function countScheduled(store: Store): void {
  const depth = depths.get(store);
  if (depth) depth.count++;
}
