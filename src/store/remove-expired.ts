import { sql } from 'kysely';
import { removeOrphans } from './remove-orphans.ts';
import type { Store } from './store.ts';

const BATCH = 100;
/** After how many retention times a job's row and events go too: until then its download answers that it has expired. */
const ROW_FACTOR = 2;
const DAY_S = 86_400;

/**
 * Retention: RETENTION_DAYS after its end a job loses its output, inputs and logs, and after twice that time its row
 * and events. To be called now and then; takes a batch at a time.
 * @returns how many jobs were cleared or removed: 0 when there is nothing more to do.
 */
export async function removeExpired(store: Store): Promise<number> {
  const days = store.config.RETENTION_DAYS;
  const removed = await endedBefore(store, ROW_FACTOR * days * DAY_S)
    .limit(BATCH)
    .execute();
  for (const { id } of removed) {
    // The files first: without a row nobody would look for them.
    await store.artifacts.remove(id);
    await store.db.deleteFrom('jobs').where('id', '=', id).execute();
  }
  const expired = await endedBefore(store, days * DAY_S)
    .where('cleared', '=', false)
    .limit(BATCH)
    .execute();
  for (const { id } of expired) await clear(store, id);
  await removeOrphans(store);
  return removed.length + expired.length;
}

function endedBefore(store: Store, seconds: number) {
  return store.db
    .selectFrom('jobs')
    .select('id')
    .where('completed', '<', sql<Date>`now() - make_interval(secs => ${seconds})`);
}

/** Marked first: who sees the mark is told that it has expired, and never finds half of it. */
async function clear(store: Store, id: string): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await trx
      .updateTable('jobs')
      .set({ cleared: true, output_expired: sql`output is not null`, output: null })
      .where('id', '=', id)
      .execute();
    for (const table of ['log_chunks', 'log_tails', 'logs'] as const) {
      await trx.deleteFrom(table).where('job_id', '=', id).execute();
    }
  });
  await store.artifacts.remove(id);
}
