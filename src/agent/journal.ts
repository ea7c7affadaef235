import type { EventData, JobEvent, NewEvent, ToolCall } from '../protocol/events.ts';
import type { AgentContext } from './agent.ts';
import { addSpent, type Spent } from './budget.ts';
import { Transcript } from './context/transcript.ts';
import { View } from './context/view.ts';

type Reply = EventData<'model.reply'>;

/** Events that stay in memory although a summary covers them: who looks for repetitions looks back a few steps. */
const KEPT_BEHIND = 200;
/** Characters of left-out output that one run stores: a job that prints without end must not fill the database. */
const MOST_OUTPUT = 50_000_000;

/**
 * What a run knows of the job's log: the newest events, in the order of their numbers, and what the model is shown of
 * all of them. What a summary stands for is let go, so that a job's length costs no memory.
 */
export class Journal {
  readonly transcript: Transcript;
  readonly view: View;
  readonly #append: AgentContext['append'];
  #events: JobEvent[] = [];
  #spent: Spent;
  #outputRoom = MOST_OUTPUT;

  constructor({ append, history, job }: AgentContext) {
    this.#append = append;
    this.transcript = new Transcript(job.request.prompt);
    this.view = new View(this.transcript);
    this.take(history.toSorted((a, b) => a.seq - b.seq));
    // Of what is no longer in the history as well.
    const { steps, input_tokens, output_tokens, cost_usd } = job.usage;
    this.#spent = { steps, tokens: input_tokens + output_tokens, costUsd: cost_usd ?? 0 };
  }

  get events(): readonly JobEvent[] {
    return this.#events;
  }

  /** What the job's steps and summaries have used so far, in all attempts. */
  get spent(): Spent {
    return this.#spent;
  }

  /** The number of the newest event. */
  get newest(): number {
    return this.#events.at(-1)?.seq ?? 0;
  }

  async append(...events: NewEvent[]): Promise<JobEvent[]> {
    const stored = await this.#append(...events);
    this.take(stored);
    for (const event of stored) this.#spent = addSpent(this.#spent, event);
    return stored;
  }

  /** Takes in events that others stored, a user's messages say; they may be older than the newest. */
  take(events: readonly JobEvent[]): void {
    for (const event of events) {
      const at = this.#events.findLastIndex(({ seq }) => seq <= event.seq);
      if (this.#events[at]?.seq === event.seq) continue;
      this.#events.splice(at + 1, 0, event);
      this.transcript.take([event]);
      if (event.type === 'context.compacted' && event.data.kind !== 'stubs')
        this.#forget(event.data.through_seq);
    }
  }

  /** How much of so much left-out output may still be stored. */
  takeOutputRoom(characters: number): number {
    const given = Math.min(characters, this.#outputRoom);
    this.#outputRoom -= given;
    return given;
  }

  lastReply(): Reply | null {
    const event = this.#events.findLast(({ type }) => type === 'model.reply');
    return event?.type === 'model.reply' ? event.data : null;
  }

  /** Results of the calls of a step, by the call's id. */
  results(step: number): Map<string, EventData<'tool.result'>> {
    return new Map(
      this.#events.flatMap((event) =>
        event.type === 'tool.result' && event.data.step === step ? [[event.data.call_id, event.data]] : [],
      ),
    );
  }

  started(step: number, call: ToolCall): boolean {
    return this.#events.some(
      (event) => event.type === 'tool.started' && event.data.step === step && event.data.call_id === call.id,
    );
  }

  #forget(through: number): void {
    const last = this.#events.length - KEPT_BEHIND;
    this.#events = this.#events.filter(({ seq }, at) => seq > through || at >= last);
  }
}
