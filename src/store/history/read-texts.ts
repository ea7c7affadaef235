import type { JobEvent } from '../../protocol/events.ts';
import type { Store } from '../store.ts';
import { type EventText, eventText } from './event-text.ts';

/** The texts of events, by their numbers; without those that are not there or have none. */
export async function readTexts(
  store: Pick<Store, 'db'>,
  jobId: string,
  seqs: readonly number[],
): Promise<Map<number, EventText>> {
  if (seqs.length === 0) return new Map();
  const rows = await store.db
    .selectFrom('events')
    .select(['seq', 'type', 'data'])
    .where('job_id', '=', jobId)
    .where('seq', 'in', [...new Set(seqs)])
    .execute();
  return new Map(
    rows.flatMap((row) => {
      const text = eventText(row as JobEvent);
      return text ? [[row.seq, text]] : [];
    }),
  );
}
