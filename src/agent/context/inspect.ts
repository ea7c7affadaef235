import type { ModelMessage } from '../../model/model.ts';
import type { EventData, JobEvent } from '../../protocol/events.ts';
import type { ResultLimits } from './budget.ts';
import { messageTokens, turnImageTokens } from './measure.ts';
import { renderTurn } from './render-turn.ts';
import { Transcript } from './transcript.ts';
import { View } from './view.ts';

/** How a step stood in a view. */
export interface ShownStep {
  step: number;
  /** The number of its reply's event. */
  event: number;
  shown: 'whole' | 'clipped' | 'stub';
  /** Estimated. */
  tokens: number;
}

export interface Inspected {
  /** The last step that the summary stood for; 0 while all steps were shown. */
  summarised_through: number;
  summary: string | null;
  steps: ShownStep[];
  /** The compactions that the view was under, oldest first. */
  compactions: (EventData<'context.compacted'> & { event: number })[];
  messages: ModelMessage[];
}

const ALL: ResultLimits = { result: Number.POSITIVE_INFINITY, step: Number.POSITIVE_INFINITY };

/**
 * What the model had in front of it when it gave a reply: the same pure function that made the request, over the
 * events that were there.
 * @param events of before the reply; of what a summary covers those that last will do.
 */
export function inspect(
  task: string,
  events: readonly JobEvent[],
  { seq, data }: { seq: number; data: EventData<'model.reply'> },
): Inspected {
  const seen = data.seen ?? seq - 1;
  const there = events.filter((event) =>
    event.type === 'context.compacted' ? event.seq < seq : event.seq <= seen,
  );
  const transcript = new Transcript(task).take(there);
  const limits = data.view ?? ALL;
  const { memory, stubbedThrough, turns } = transcript;
  return {
    summarised_through: memory?.through ?? 0,
    summary: memory?.summary ?? null,
    steps: turns.map((turn): ShownStep => {
      const isStub = turn.step <= stubbedThrough;
      const messages = renderTurn(turn, isStub ? 'stub' : limits);
      const tokens = messageTokens(messages) + (isStub ? 0 : turnImageTokens(turn));
      const clipped = messageTokens(renderTurn(turn, ALL)) > messageTokens(messages);
      return {
        step: turn.step,
        event: turn.seq,
        shown: isStub ? 'stub' : clipped ? 'clipped' : 'whole',
        tokens,
      };
    }),
    compactions: inEffect(there),
    messages: new View(transcript).messages(limits),
  };
}

/** The newest summary, and the stubs that were made since. */
function inEffect(events: readonly JobEvent[]): Inspected['compactions'] {
  const all = events.flatMap((event) =>
    event.type === 'context.compacted' ? [{ event: event.seq, ...event.data }] : [],
  );
  const last = all.findLastIndex(({ kind }) => kind !== 'stubs');
  return all.slice(Math.max(0, last));
}
