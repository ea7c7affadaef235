import { sql } from 'kysely';
import type { LogType } from '../protocol/job.ts';
import type { Trx } from './tables.ts';

/** Puts the kept tail of each log that passed its cap after its head, with a line that says what is left out. */
export async function closeLogs(trx: Trx, jobId: string): Promise<void> {
  const cut = await trx
    .selectFrom('logs')
    .select(['type', 'size', 'dropped'])
    .where('job_id', '=', jobId)
    .where('dropped', '>', 0)
    .execute();
  for (const log of cut) await closeLog(trx, jobId, log);
}

async function closeLog(
  trx: Trx,
  jobId: string,
  { type, size, dropped }: { type: LogType; size: number; dropped: number },
): Promise<void> {
  const tail = await trx
    .selectFrom('log_tails')
    .select((eb) => [
      sql<number>`coalesce(min(start), ${dropped})::bigint`.as('from'),
      eb.fn.coalesce(sql<number>`sum(length(bytes))::bigint`, sql<number>`0::bigint`).as('bytes'),
    ])
    .where('job_id', '=', jobId)
    .where('type', '=', type)
    .executeTakeFirstOrThrow();
  const left = dropped - tail.bytes;
  const notice = Buffer.from(left > 0 ? cutNotice(left) : '');
  if (notice.length > 0) {
    await trx.insertInto('log_chunks').values({ job_id: jobId, type, start: size, bytes: notice }).execute();
  }
  const base = size + notice.length;
  await sql`
    with moved as (delete from log_tails where job_id = ${jobId} and type = ${type} returning start, bytes)
    insert into log_chunks (job_id, type, start, bytes)
    select ${jobId}, ${type}, start - ${tail.from}::bigint + ${base}::bigint, bytes from moved`.execute(trx);
  await trx
    .updateTable('logs')
    .set({ size: base + tail.bytes, dropped: 0 })
    .where('job_id', '=', jobId)
    .where('type', '=', type)
    .execute();
}

/** The line that stands where a log's middle is left out. */
export const cutNotice = (bytes: number): string => `\n[log cut: ${bytes} bytes are left out here]\n`;
