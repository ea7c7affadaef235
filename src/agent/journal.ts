import type { EventData, JobEvent, NewEvent, ToolCall } from '../protocol/events.ts';
import type { AgentContext } from './agent.ts';

type Reply = EventData<'model.reply'>;

/** The job's events as this run knows them, in the order of their numbers: the history and what has come since. */
export class Journal {
  readonly #append: AgentContext['append'];
  readonly #events: JobEvent[];

  constructor(context: AgentContext) {
    this.#append = context.append;
    this.#events = context.history.toSorted((a, b) => a.seq - b.seq);
  }

  get events(): readonly JobEvent[] {
    return this.#events;
  }

  /** The number of the newest event. */
  get newest(): number {
    return this.#events.at(-1)?.seq ?? 0;
  }

  async append(...events: NewEvent[]): Promise<JobEvent[]> {
    const stored = await this.#append(...events);
    this.take(stored);
    return stored;
  }

  /** Takes in events that others stored, a user's messages say; they may be older than the newest. */
  take(events: readonly JobEvent[]): void {
    for (const event of events) {
      const at = this.#events.findLastIndex(({ seq }) => seq <= event.seq);
      if (this.#events[at]?.seq !== event.seq) this.#events.splice(at + 1, 0, event);
    }
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
}
