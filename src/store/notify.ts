import { sql } from 'kysely';
import { CHANNELS } from './notifications.ts';
import type { Db } from './tables.ts';

/** Tells who follows the job, once the transaction commits, that its events, logs or state changed. */
export async function notifyJob(db: Db, jobId: string): Promise<void> {
  await sql`select pg_notify(${CHANNELS.job}, ${jobId})`.execute(db);
}

/** As {@link notifyJob}, and tells the worker that holds the job to look at it. */
export async function notifyControl(db: Db, jobId: string): Promise<void> {
  await sql`select pg_notify(${CHANNELS.job}, ${jobId}), pg_notify(${CHANNELS.control}, ${jobId})`.execute(
    db,
  );
}
