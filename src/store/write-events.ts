import type { JobEvent, NewEvent } from '../protocol/events.ts';
import { writePassages } from './history/write-passages.ts';
import { toJson } from './json.ts';
import type { Trx } from './tables.ts';

/**
 * Inserts events whose numbers end with `lastSeq`. The caller has just raised the job's `last_seq` by their count in
 * this transaction: the lock on the row makes numbers gapless and commits come in their order.
 */
export async function writeEvents(
  trx: Trx,
  jobId: string,
  lastSeq: number,
  events: readonly NewEvent[],
): Promise<JobEvent[]> {
  if (events.length === 0) return [];
  const first = lastSeq - events.length + 1;
  const time = new Date();
  const rows = events.map(({ type, data }, index) => ({
    job_id: jobId,
    seq: first + index,
    time,
    type,
    data: toJson(data),
  }));
  await trx.insertInto('events').values(rows).execute();
  // As they will be read: what could not be stored as it was is already replaced.
  const stored = rows.map(
    ({ seq, type, data }) => ({ seq, time: time.toISOString(), type, data: JSON.parse(data) }) as JobEvent,
  );
  await writePassages(trx, jobId, stored);
  return stored;
}
