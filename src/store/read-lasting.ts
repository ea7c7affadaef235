import { sql } from 'kysely';
import type { EventType, JobEvent } from '../protocol/events.ts';
import type { Store } from './store.ts';

/** What stays of interest although a summary covers it. Written out, so that PostgreSQL sees that its index serves. */
const LASTING = literals([
  'context.compacted',
  'message.user',
  'question.asked',
  'question.answered',
  'job.started',
  'job.requeued',
  'sandbox.started',
  'sandbox.reattached',
  'sandbox.lost',
  'input.ready',
  'control.taken',
  'control.released',
  'note.pinned',
  'note.updated',
  'note.struck',
  'plan.set',
]);

/**
 * The start of what a job's agent needs of its log: of the events that the last summary covers those that last, in
 * order, and the number up to which it covers. All events after that number belong to it too.
 * @param before looks only at the log as it was before this event.
 */
export async function readLasting(
  { db }: Pick<Store, 'db'>,
  jobId: string,
  before = 2 ** 31 - 1,
): Promise<{ events: JobEvent[]; through: number }> {
  const last = await db
    .selectFrom('events')
    .select(sql<string>`data->>'through_seq'`.as('through'))
    .where('job_id', '=', jobId)
    .where('seq', '<', before)
    .where(sql<boolean>`type in (${LASTING})`)
    .where('type', '=', 'context.compacted')
    .where(sql<string>`data->>'kind'`, '<>', 'stubs')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!last) return { events: [], through: 0 };
  const through = Number(last.through);
  const rows = await db
    .selectFrom('events')
    .select(['seq', 'time', 'type', 'data'])
    .where('job_id', '=', jobId)
    .where('seq', '<=', through)
    .where(sql<boolean>`type in (${LASTING})`)
    .where('type', '<>', 'context.compacted')
    .orderBy('seq')
    .execute();
  return { events: rows.map((row) => ({ ...row, time: row.time.toISOString() }) as JobEvent), through };
}

function literals(types: EventType[]) {
  return sql.join(types.map((type) => sql.lit(type)));
}
