import { sql } from 'kysely';
import { toJson } from './json.ts';
import type { Store } from './store.ts';

/** A worker is alive while its last heartbeat is younger. */
const ALIVE_S = 30;
/** What a worker that was lost is remembered for. */
const FORGOTTEN_S = 3_600;

export interface WorkerRecord {
  id: string;
  started: string;
  heartbeat: string;
  /** What it tells of itself: host, process, concurrency, state. Plain JSON. */
  info: Record<string, unknown>;
}

/** Writes that a worker is there, or what it tells of itself now. */
export async function registerWorker(store: Store, id: string, info: Record<string, unknown>): Promise<void> {
  await store.db
    .insertInto('workers')
    .values({ id, info: toJson(info) })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({ info: toJson(info), heartbeat: sql`now()` }),
    )
    .execute();
}

/** To be called about every 5 s. Gives false when the worker is not registered any more, so that it registers again. */
export async function heartbeatWorker(store: Store, id: string): Promise<boolean> {
  const { numUpdatedRows } = await store.db
    .updateTable('workers')
    .set({ heartbeat: sql`now()` })
    .where('id', '=', id)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** The workers that were heard of in the last 30 s, oldest first. */
export async function liveWorkers(store: Store): Promise<WorkerRecord[]> {
  const rows = await store.db
    .selectFrom('workers')
    .select(['id', 'started', 'heartbeat', 'info'])
    .where('heartbeat', '>', sql<Date>`now() - make_interval(secs => ${ALIVE_S})`)
    .orderBy('started')
    .execute();
  return rows.map((row) => ({
    ...row,
    info: row.info as Record<string, unknown>,
    started: row.started.toISOString(),
    heartbeat: row.heartbeat.toISOString(),
  }));
}

export async function removeWorker(store: Store, id: string): Promise<void> {
  await store.db.deleteFrom('workers').where('id', '=', id).execute();
}

/** Forgets workers that were lost an hour ago. */
export async function removeLostWorkers(store: Store): Promise<void> {
  await store.db
    .deleteFrom('workers')
    .where('heartbeat', '<', sql<Date>`now() - make_interval(secs => ${FORGOTTEN_S})`)
    .execute();
}
