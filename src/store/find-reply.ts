import { sql } from 'kysely';
import type { EventData } from '../protocol/events.ts';
import type { Store } from './store.ts';

/** The reply of a job's step, or of its newest when none is named; null when there is none. */
export async function findReply(
  { db }: Pick<Store, 'db'>,
  jobId: string,
  step?: number,
): Promise<{ seq: number; time: string; data: EventData<'model.reply'> } | null> {
  const number = sql<number>`((data->>'step')::integer)`;
  let query = db
    .selectFrom('events')
    .select(['seq', 'time', 'data'])
    .where('job_id', '=', jobId)
    .where('type', '=', sql.lit('model.reply'));
  if (step !== undefined) query = query.where(number, '=', step);
  const row = await query.orderBy(number, 'desc').limit(1).executeTakeFirst();
  return row
    ? { seq: row.seq, time: row.time.toISOString(), data: row.data as EventData<'model.reply'> }
    : null;
}
