import { newId } from '../protocol/ids.ts';
import type { Store } from './store.ts';

/** The walk over all folders is not for every call. */
const AGAIN_MS = 3_600_000;
/** Younger files may be those of a request that is being taken now. */
const YOUNG_MS = 86_400_000;
const BATCH = 500;
const walked = new WeakMap<Store, number>();

/** Removes files of jobs that have no row: a crash came between the two. At most once an hour. */
export async function removeOrphans(store: Store): Promise<void> {
  const last = walked.get(store);
  if (last !== undefined && performance.now() - last < AGAIN_MS) return;
  walked.set(store, performance.now());
  // Ids sort by the time they were made.
  const oldest = newId(Date.now() - YOUNG_MS);
  let batch: string[] = [];
  for await (const id of store.artifacts.jobIds()) {
    if (id < oldest) batch.push(id);
    if (batch.length < BATCH) continue;
    await removeUnknown(store, batch);
    batch = [];
  }
  await removeUnknown(store, batch);
}

async function removeUnknown(store: Store, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  const rows = await store.db.selectFrom('jobs').select('id').where('id', 'in', ids).execute();
  const known = new Set(rows.map(({ id }) => id));
  for (const id of ids) if (!known.has(id)) await store.artifacts.remove(id);
}
