import type { LogType } from '../protocol/job.ts';
import { MAX_CHUNK_BYTES, PAGE_BYTES } from './log-sizes.ts';
import type { Store } from './store.ts';

/** Bytes that a log holds now; 0 for one that nobody has written to. It only grows until retention removes the log. */
export async function logSize(store: Store, jobId: string, type: LogType): Promise<number> {
  const row = await store.db
    .selectFrom('logs')
    .select('size')
    .where('job_id', '=', jobId)
    .where('type', '=', type)
    .executeTakeFirst();
  return row?.size ?? 0;
}

/**
 * The bytes of a log from offset `from` (default 0) up to but without `to` (default: its size now), in pieces of at
 * most 256 KiB, with little more than a MiB in memory.
 */
export async function* readLog(
  store: Store,
  jobId: string,
  type: LogType,
  range: { from?: number | undefined; to?: number | undefined } = {},
): AsyncGenerator<Buffer> {
  const end = Math.min(range.to ?? Number.POSITIVE_INFINITY, await logSize(store, jobId, type));
  let at = range.from ?? 0;
  while (at < end) {
    const rows = await store.db
      .selectFrom('log_chunks')
      .select(['start', 'bytes'])
      .where('job_id', '=', jobId)
      .where('type', '=', type)
      // The chunk that holds the first byte may begin before it.
      .where('start', '>', at - MAX_CHUNK_BYTES)
      .where('start', '<', Math.min(end, at + PAGE_BYTES))
      .orderBy('start')
      .execute();
    let read = false;
    for (const { start, bytes } of rows) {
      const piece = bytes.subarray(Math.max(0, at - start), Math.max(0, end - start));
      if (start > at || piece.length === 0) continue;
      read = true;
      at += piece.length;
      yield piece;
    }
    // Removed by retention in the middle of the read.
    if (!read) return;
  }
}
