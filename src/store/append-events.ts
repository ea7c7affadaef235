import { sql } from 'kysely';
import type { EventType, JobEvent, NewEvent } from '../protocol/events.ts';
import { type Fence, LeaseLost } from './fence.ts';
import { notifyJob } from './notify.ts';
import type { Store } from './store.ts';
import { writeEvents } from './write-events.ts';

/** What shows that an attempt gets somewhere: the count of lost attempts begins anew. */
const PROGRESS: readonly EventType[] = ['model.reply', 'tool.result', 'block.ended'];

/**
 * Adds events to a job's log. They are durable when it resolves, numbered without a gap, and nobody sees one before
 * those with lower numbers. What a `model.reply` or a summary used is added to the job's usage.
 * @returns the events as stored, with their numbers.
 * @throws LeaseLost when the job has ended or another attempt has begun.
 */
export async function appendEvents(
  store: Store,
  fence: Fence,
  events: readonly NewEvent[],
): Promise<JobEvent[]> {
  if (events.length === 0) return [];
  const sum = usageOf(events);
  const progress = events.some(({ type }) => PROGRESS.includes(type));
  return await store.db.transaction().execute(async (trx) => {
    const row = await trx
      .updateTable('jobs')
      .set((eb) => ({
        last_seq: eb('last_seq', '+', events.length),
        steps: eb('steps', '+', sum.steps),
        input_tokens: eb('input_tokens', '+', sum.input_tokens),
        cached_input_tokens: eb('cached_input_tokens', '+', sum.cached_input_tokens),
        output_tokens: eb('output_tokens', '+', sum.output_tokens),
        // Null once the price of any reply was not known.
        cost_usd: sql<number | null>`cost_usd + ${sum.cost_usd}::double precision`,
        ...(progress && { lost_attempts: 0 }),
      }))
      .where('id', '=', fence.jobId)
      .where('attempt', '=', fence.attempt)
      .where('status', 'in', ['running', 'waiting'])
      .returning('last_seq')
      .executeTakeFirst();
    if (!row) throw new LeaseLost(fence);
    const written = await writeEvents(trx, fence.jobId, row.last_seq, events);
    await notifyJob(trx, fence.jobId);
    return written;
  });
}

function usageOf(events: readonly NewEvent[]) {
  const sum = {
    steps: 0,
    input_tokens: 0,
    cached_input_tokens: 0,
    output_tokens: 0,
    cost_usd: 0 as number | null,
  };
  for (const event of events) {
    const usage =
      event.type === 'model.reply' || event.type === 'context.compacted' ? event.data.usage : null;
    if (!usage) continue;
    if (event.type === 'model.reply') sum.steps++;
    sum.input_tokens += usage.input_tokens;
    sum.cached_input_tokens += usage.cached_input_tokens;
    sum.output_tokens += usage.output_tokens;
    sum.cost_usd = sum.cost_usd === null || usage.cost_usd === null ? null : sum.cost_usd + usage.cost_usd;
  }
  return sum;
}
