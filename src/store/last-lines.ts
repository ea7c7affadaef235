import { sql } from 'kysely';
import type { LogType } from '../protocol/job.ts';
import { cutNotice } from './close-logs.ts';
import { PAGE_BYTES } from './log-sizes.ts';
import { logSize, readLog } from './read-log.ts';
import type { Store } from './store.ts';

const FIRST_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/**
 * The last lines of a log as text (what is no UTF-8 becomes U+FFFD), at most the last MiB: it is read from its end only.
 * Of a log that has passed its cap and whose job goes on, the newest lines are among them.
 */
export async function lastLines(store: Store, jobId: string, type: LogType, lines: number): Promise<string> {
  const tail = await readTail(store, jobId, type);
  const size = await logSize(store, jobId, type);
  for (let bytes = FIRST_BYTES; ; bytes *= 4) {
    const from = Math.max(0, size - Math.min(bytes, PAGE_BYTES));
    const pieces: Buffer[] = [];
    for await (const piece of readLog(store, jobId, type, { from, to: size })) pieces.push(piece);
    const all = Buffer.concat([...pieces, ...tail]).subarray(-PAGE_BYTES);
    const start = startOfLastLines(all, lines);
    const whole = from === 0 && all.length < PAGE_BYTES;
    if (start > 0 || whole || bytes >= PAGE_BYTES) {
      return all.subarray(start > 0 || whole ? start : firstChar(all)).toString();
    }
  }
}

/** What was written after the cap, as far as it is kept. */
async function readTail(store: Store, jobId: string, type: LogType): Promise<Buffer[]> {
  const rows = await store.db
    .selectFrom('log_tails')
    .innerJoin('logs', (join) =>
      join.onRef('logs.job_id', '=', 'log_tails.job_id').onRef('logs.type', '=', 'log_tails.type'),
    )
    .select(['log_tails.start', 'log_tails.bytes'])
    .where('log_tails.job_id', '=', jobId)
    .where('log_tails.type', '=', type)
    .where('logs.dropped', '>', 0)
    .orderBy(sql`log_tails.start`)
    .execute();
  const [first] = rows;
  if (!first) return [];
  const notice = first.start > 0 ? [Buffer.from(cutNotice(first.start))] : [];
  return [...notice, ...rows.map(({ bytes }) => bytes)];
}

/** Where the last `lines` lines begin; 0 when there are not that many. A line feed at the end begins no line. */
function startOfLastLines(bytes: Buffer, lines: number): number {
  let at = bytes.at(-1) === LINE_FEED ? bytes.length - 1 : bytes.length;
  for (let count = 0; count < lines; count++) {
    if (at <= 0) return 0;
    at = bytes.lastIndexOf(LINE_FEED, at - 1);
    if (at === -1) return 0;
  }
  return at + 1;
}

/** The first byte that is not the rest of a character cut in two. */
function firstChar(bytes: Buffer): number {
  let at = 0;
  while (at < 3 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return at;
}
