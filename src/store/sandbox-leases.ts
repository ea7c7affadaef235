import { sql } from 'kysely';
import { CodedError } from '../protocol/errors.ts';
import { notifyJob } from './notify.ts';
import type { Store } from './store.ts';
import type { Trx } from './tables.ts';

export interface SandboxLease {
  idleS: number;
  /** When it ends unless it is used. */
  expires: Date;
  /** When it ends in any case. */
  ends: Date;
  /** Null until it can be used. */
  ready: Date | null;
}

export interface LeaseTerms {
  idleS: number;
  lifetimeS: number;
}

const LIVE = ['scheduled', 'running', 'waiting'] as const;

/** Writes the lease of a sandbox that is being scheduled. Its time counts from when it is ready; until then, its whole life. */
export async function insertLease(trx: Trx, jobId: string, { idleS, lifetimeS }: LeaseTerms): Promise<void> {
  const ends = new Date(Date.now() + lifetimeS * 1_000);
  await trx
    .insertInto('sandbox_leases')
    .values({ job_id: jobId, idle_s: idleS, expires: ends, ends, ready: null })
    .execute();
}

/** The leases of these sandboxes, by id; of what is no sandbox there is none. */
export async function readLeases(store: Store, ids: readonly string[]): Promise<Map<string, SandboxLease>> {
  if (ids.length === 0) return new Map();
  const rows = await store.db.selectFrom('sandbox_leases').selectAll().where('job_id', 'in', ids).execute();
  return new Map(
    rows.map(({ job_id, idle_s, expires, ends, ready }) => [job_id, { idleS: idle_s, expires, ends, ready }]),
  );
}

/** The sandbox can be used: whoever waits for that is told. A second time, after a crash, its times stay. */
export async function setReady(store: Store, jobId: string): Promise<void> {
  await store.db
    .updateTable('sandbox_leases')
    .set({ ready: sql`now()`, expires: sql`least(ends, now() + make_interval(secs => idle_s))` })
    .where('job_id', '=', jobId)
    .where('ready', 'is', null)
    .execute();
  await notifyJob(store.db, jobId);
}

/** It is used now: it goes on for its idle time from here, or for another one from now on. Never beyond its end. */
export async function keepSandbox(store: Store, jobId: string, idleS?: number): Promise<void> {
  await store.db
    .updateTable('sandbox_leases')
    .set({
      ...(idleS !== undefined && { idle_s: idleS }),
      expires: sql`least(ends, now() + make_interval(secs => ${idleS ?? sql.ref('idle_s')}))`,
    })
    .where('job_id', '=', jobId)
    .where('ready', 'is not', null)
    .execute();
  // A shorter time has to be known; of a longer one the end will tell.
  if (idleS !== undefined) await notifyJob(store.db, jobId);
}

/** @throws CodedError TOO_MANY_SANDBOXES when there are as many as there may be. */
export async function checkSandboxCount(store: Store, most: number): Promise<void> {
  const { count } = await store.db
    .selectFrom('sandbox_leases')
    .innerJoin('jobs', 'jobs.id', 'sandbox_leases.job_id')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('jobs.status', 'in', LIVE)
    .executeTakeFirstOrThrow();
  if (Number(count) >= most) {
    throw new CodedError(
      'TOO_MANY_SANDBOXES',
      `there are ${count} sandboxes, and ${most} are the most (MAX_SANDBOXES)`,
    );
  }
}
