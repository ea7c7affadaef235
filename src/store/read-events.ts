import type { JobEvent } from '../protocol/events.ts';
import type { Store } from './store.ts';

/** Events of a job with numbers above `after` (default 0), in order, at most `limit` (default 1000). */
export async function readEvents(
  store: Store,
  jobId: string,
  { after = 0, limit = 1_000 }: { after?: number; limit?: number } = {},
): Promise<JobEvent[]> {
  const rows = await store.db
    .selectFrom('events')
    .select(['seq', 'time', 'type', 'data'])
    .where('job_id', '=', jobId)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute();
  // The store wrote them, each with the data of its type.
  return rows.map((row) => ({ ...row, time: row.time.toISOString() }) as JobEvent);
}
