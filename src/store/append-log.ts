import { sql } from 'kysely';
import type { LogType } from '../protocol/job.ts';
import { type Fence, LeaseLost } from './fence.ts';
import { MAX_CHUNK_BYTES, TAIL_BYTES } from './log-sizes.ts';
import type { Store } from './store.ts';

/**
 * Adds bytes to one of a job's logs; resolves when they are durable. Past MAX_LOG_MB only the newest MiB is kept
 * aside, and put after the rest when the job ends. A log's size only grows, and what was once read at an offset stays.
 * @throws LeaseLost when the job has ended or another attempt has begun.
 */
export async function appendLog(store: Store, fence: Fence, type: LogType, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += MAX_CHUNK_BYTES) {
    await appendChunk(store, fence, type, bytes.subarray(at, at + MAX_CHUNK_BYTES));
  }
  if (bytes.length > 0) store.notifications.announceSoon(fence.jobId);
}

/** One statement, hence one transaction: the lock on the job's row keeps its end from coming between. */
async function appendChunk(
  store: Store,
  { jobId, attempt }: Fence,
  type: LogType,
  bytes: Buffer,
): Promise<void> {
  const cap = store.config.MAX_LOG_MB * 2 ** 20;
  const { rows } = await sql<{ dropped: number }>`
    with given as (
      select ${bytes}::bytea as bytes, ${bytes.length}::bigint as n, ${cap}::bigint as cap
    ), held as (
      select id from jobs where id = ${jobId} and attempt = ${attempt} and status in ('running', 'waiting') for share
    ), grown as (
      insert into logs as l (job_id, type, size, dropped)
      select id, ${type}, least(n, cap), n - least(n, cap) from held, given
      on conflict (job_id, type) do update set (size, dropped) = (
        -- A log that was cut once stays so until its job ends, or its parts would change places.
        select l.size + fits, l.dropped + n - fits from (
          select n, case when l.dropped > 0 then 0 else greatest(0, least(n, cap - l.size)) end as fits from given
        ) room
      )
      returning size, dropped
    ), placed as (
      select bytes, size, dropped, n, greatest(0, n - dropped)::int as fits from grown, given
    ), head as (
      insert into log_chunks (job_id, type, start, bytes)
      select ${jobId}, ${type}, size - fits, substring(bytes from 1 for fits) from placed where fits > 0
    ), tail as (
      insert into log_tails (job_id, type, start, bytes)
      select ${jobId}, ${type}, dropped - (n - fits), substring(bytes from fits + 1) from placed where fits < n
    )
    select dropped from placed`.execute(store.db);
  const [row] = rows;
  if (!row) throw new LeaseLost({ jobId, attempt });
  if (row.dropped > TAIL_BYTES) await trimTail(store, jobId, type, row.dropped - TAIL_BYTES);
}

/** Removes what lies wholly before `from`, counted from where the log passed its cap. */
async function trimTail(store: Store, jobId: string, type: LogType, from: number): Promise<void> {
  await store.db
    .deleteFrom('log_tails')
    .where('job_id', '=', jobId)
    .where('type', '=', type)
    .where(sql<boolean>`start + length(bytes) <= ${from}`)
    .execute();
}
