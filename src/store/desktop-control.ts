import { createHash, randomBytes } from 'node:crypto';
import { CodedError } from '../protocol/errors.ts';
import type { NewEvent } from '../protocol/events.ts';
import { isFinal } from '../protocol/job.ts';
import { lockJob, lockLive } from './lock-job.ts';
import { notifyControl } from './notify.ts';
import type { Store } from './store.ts';
import type { Trx } from './tables.ts';
import { writeEvents } from './write-events.ts';

const TOKEN_BYTES = 24;
const SWEEP_BATCH = 100;

/** Who has control of a desktop, as others are told. */
export interface DesktopControl {
  holder: string;
  taken: string;
  expires: string;
}

export interface TakeControl {
  jobId: string;
  /** Who takes it, as the agent and other viewers are told. */
  holder: string;
  ttlS: number;
  /** Of who has it already: then it is kept for `ttlS` more. */
  token?: string | undefined;
}

/**
 * Gives control of a job's desktop to one person, or keeps it theirs. The agent is told by an event.
 * @throws CodedError JOB_NOT_FOUND, JOB_ENDED, CONTROL_TAKEN
 */
export async function takeControl(
  store: Store,
  { jobId, holder, ttlS, token }: TakeControl,
): Promise<DesktopControl & { token: string }> {
  const now = new Date();
  const expires = new Date(now.getTime() + ttlS * 1_000);
  return await store.db.transaction().execute(async (trx) => {
    const { last_seq } = await lockLive(trx, jobId);
    const row = await read(trx, jobId);
    const held = row && row.expires > now ? row : null;
    if (held && (token === undefined || !held.token_hash.equals(hash(token)))) {
      throw new CodedError(
        'CONTROL_TAKEN',
        `${held.holder} has control of the desktop until ${held.expires.toISOString()}`,
      );
    }
    if (held && token !== undefined) {
      await trx.updateTable('desktop_control').set({ expires }).where('job_id', '=', jobId).execute();
      await notifyControl(trx, jobId);
      return { ...told({ ...held, expires }), token };
    }
    const events: NewEvent[] = [{ type: 'control.taken', data: { holder, expires: expires.toISOString() } }];
    if (row) {
      await trx.deleteFrom('desktop_control').where('job_id', '=', jobId).execute();
      events.unshift({ type: 'control.released', data: { holder: row.holder, reason: 'expired' } });
    }
    const fresh = randomBytes(TOKEN_BYTES).toString('base64url');
    const values = { job_id: jobId, token_hash: hash(fresh), holder, taken: now, expires };
    await trx.insertInto('desktop_control').values(values).execute();
    await tell(trx, jobId, last_seq, events);
    return { ...told(values), token: fresh };
  });
}

/** Gives control back to the agent. Of a token that has none: no error. @throws CodedError JOB_NOT_FOUND */
export async function releaseControl(store: Store, jobId: string, token: string): Promise<void> {
  await end(store, jobId, 'released', (row) => row.token_hash.equals(hash(token)));
}

/** Who has control now; null when nobody has. */
export async function readControl(store: Store, jobId: string): Promise<DesktopControl | null> {
  const row = await read(store.db, jobId);
  return row && row.expires > new Date() ? told(row) : null;
}

/** Until when this token has control; null when it has none. */
export async function controlUntil(store: Store, jobId: string, token: string): Promise<Date | null> {
  const row = await read(store.db, jobId);
  return row && row.expires > new Date() && row.token_hash.equals(hash(token)) ? row.expires : null;
}

/** Gives back what has expired, so that the agent is told; gives how many. */
export async function expireControl(store: Store): Promise<number> {
  const expired = await store.db
    .selectFrom('desktop_control')
    .select('job_id')
    .where('expires', '<=', new Date())
    .limit(SWEEP_BATCH)
    .execute();
  for (const { job_id } of expired)
    await end(store, job_id, 'expired', ({ expires }) => expires <= new Date());
  return expired.length;
}

type Row = NonNullable<Awaited<ReturnType<typeof read>>>;

async function read(db: Store['db'] | Trx, jobId: string) {
  return await db
    .selectFrom('desktop_control')
    .select(['token_hash', 'holder', 'taken', 'expires'])
    .where('job_id', '=', jobId)
    .executeTakeFirst();
}

async function end(
  store: Store,
  jobId: string,
  reason: 'released' | 'expired',
  applies: (row: Row) => boolean,
): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    const job = await lockJob(trx, jobId);
    if (!job) throw new CodedError('JOB_NOT_FOUND', `there is no job ${jobId}`);
    const row = await read(trx, jobId);
    if (!row || !applies(row)) return;
    await trx.deleteFrom('desktop_control').where('job_id', '=', jobId).execute();
    if (isFinal(job.status)) return;
    await tell(trx, jobId, job.last_seq, [
      { type: 'control.released', data: { holder: row.holder, reason } },
    ]);
  });
}

async function tell(trx: Trx, jobId: string, lastSeq: number, events: NewEvent[]): Promise<void> {
  const last_seq = lastSeq + events.length;
  await trx.updateTable('jobs').set({ last_seq }).where('id', '=', jobId).execute();
  await writeEvents(trx, jobId, last_seq, events);
  await notifyControl(trx, jobId);
}

const told = ({ holder, taken, expires }: Pick<Row, 'holder' | 'taken' | 'expires'>): DesktopControl => ({
  holder,
  taken: taken.toISOString(),
  expires: expires.toISOString(),
});

const hash = (token: string): Buffer => createHash('sha256').update(token).digest();
