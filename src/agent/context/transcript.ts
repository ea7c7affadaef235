import type { ModelMessage } from '../../model/model.ts';
import type { EventData, JobEvent, StepUsage } from '../../protocol/events.ts';
import { addToNotebook, emptyNotebook, type Notebook } from '../../protocol/notebook.ts';
import { controlNote } from './control-note.ts';
import { headTexts, type Memory } from './head.ts';
import type { Reply, Said, Turn } from './turn.ts';

const SANDBOX_LOST =
  '[The sandbox was lost and a new one took its place. The workspace holds only the input files again; running processes and everything you made or installed are gone.]';

/**
 * A job's log as a view is made of it, taken in event by event. It holds what is shown and no more: the steps since
 * the last summary, all that the user said, notes and plan. Fed with a log that lacks what a summary covers
 * (`store/read-recent.ts`) it is the same as with all of it.
 */
export class Transcript {
  readonly task: string;
  #turns: Turn[] = [];
  /** What the user said while steps went on that are no longer shown. */
  #before: Said[] = [];
  /** What was said after those, and before the first step that is shown. */
  #opening: Said[] = [];
  /** What no reply has seen yet, in the order of its numbers. */
  #pending: Said[] = [];
  /** The questions that messages were taken as answers to, by the messages' numbers. */
  readonly #questions = new Map<number, string>();
  readonly #asked = new Map<string, string>();
  #notebook: Notebook = emptyNotebook();
  #memory: Memory | null = null;
  #stubbedThrough = 0;
  #lastStep = 0;
  #lastSeen = 0;
  #usage: StepUsage | null = null;
  #scale = 1;

  constructor(task: string) {
    this.task = task;
  }

  /** The steps that are shown, oldest first. */
  get turns(): readonly Turn[] {
    return this.#turns;
  }

  get memory(): Memory | null {
    return this.#memory;
  }

  get notebook(): Notebook {
    return this.#notebook;
  }

  /** The results of the steps up to this one are stubs. */
  get stubbedThrough(): number {
    return this.#stubbedThrough;
  }

  /** The newest step that there was, shown or not; 0 before the first. */
  get lastStep(): number {
    return this.#lastStep;
  }

  /** The newest event that the newest reply had been shown. */
  get lastSeen(): number {
    return this.#lastSeen;
  }

  /** The provider's count of the newest request and its reply; null when the view has been compacted since. */
  get usage(): StepUsage | null {
    return this.#usage;
  }

  /** What an estimate is to be multiplied with to come near the provider's count, erring high. */
  get scale(): number {
    return this.#scale;
  }

  /** What the user said, and we, that no reply has seen yet. */
  get pending(): readonly string[] {
    return this.#pending.map(({ text }) => text);
  }

  /** The texts of the first message. */
  head(): string[] {
    const opening = this.#opening.map(({ text }) => text);
    return [...headTexts(this.task, this.#before, this.#memory, this.#questions), ...opening];
  }

  /** Takes in events, oldest first; a message of the user may come late. */
  take(events: Iterable<JobEvent>): this {
    for (const event of events) this.#take(event);
    return this;
  }

  #take(event: JobEvent): void {
    switch (event.type) {
      case 'message.user':
        insert(this.#pending, { seq: event.seq, text: event.data.text, by: 'user' });
        break;
      case 'sandbox.lost':
        insert(this.#pending, { seq: event.seq, text: SANDBOX_LOST, by: 'keeper' });
        break;
      case 'control.taken':
      case 'control.released':
        insert(this.#pending, { seq: event.seq, text: controlNote(event), by: 'keeper' });
        break;
      case 'question.asked':
        this.#asked.set(`${event.data.step} ${event.data.call_id}`, event.data.question);
        break;
      case 'question.answered':
        this.#answer(event.data);
        break;
      case 'model.reply':
        this.#reply(event.seq, event.data);
        break;
      case 'tool.result':
        this.#result(event.seq, event.data);
        break;
      case 'context.compacted':
        this.#compact(event.data);
        break;
      default:
        this.#notebook = addToNotebook(this.#notebook, event);
    }
  }

  #reply(seq: number, reply: Reply): void {
    this.#flush(reply.seen ?? seq);
    const after: Said[] = reply.tool_calls.length === 0 ? [{ seq, text: nudge(reply), by: 'keeper' }] : [];
    this.#turns.push({ step: reply.step, seq, reply, results: new Map(), answers: [], after });
    this.#lastStep = reply.step;
    this.#lastSeen = reply.seen ?? seq;
    this.#usage = reply.usage.input_tokens > 0 ? reply.usage : null;
    if (this.#usage && reply.view) this.#scale = scaleOf(this.#usage.input_tokens, reply.view.estimated);
  }

  #result(seq: number, data: EventData<'tool.result'>): void {
    const turn = this.#turns.at(-1);
    if (turn?.step !== data.step || !turn.reply.tool_calls.some(({ id }) => id === data.call_id)) return;
    if (!turn.results.has(data.call_id)) turn.results.set(data.call_id, { seq, data });
  }

  /** An answer is shown as the result of its question; of a step that is no longer shown, among the user's messages. */
  #answer({ step, call_id, message_seq }: EventData<'question.answered'>): void {
    const at = this.#pending.findIndex(({ seq }) => seq === message_seq);
    const [answer] = at < 0 ? [] : this.#pending.splice(at, 1);
    if (!answer) return;
    const turn = this.#turns.find((each) => each.step === step);
    (turn ? turn.answers : this.#before).push(answer);
    const question = this.#asked.get(`${step} ${call_id}`);
    if (question !== undefined) this.#questions.set(message_seq, question);
  }

  #compact(data: EventData<'context.compacted'>): void {
    this.#usage = null;
    this.#stubbedThrough = Math.max(this.#stubbedThrough, data.through_step);
    if (data.kind === 'stubs') return;
    const covered = this.#turns.filter(({ step }) => step <= data.through_step);
    this.#turns = this.#turns.filter(({ step }) => step > data.through_step);
    this.#lastStep = Math.max(this.#lastStep, data.through_step);
    if (this.#turns.length === 0) this.#flush(data.seen);
    const said = covered.flatMap(({ answers, after }) => [...answers, ...after]);
    this.#before = [...this.#before, ...this.#opening, ...said]
      .filter(({ by }) => by === 'user')
      .sort((a, b) => a.seq - b.seq);
    this.#opening = [];
    this.#memory = { through: data.through_step, summary: data.summary, notebook: this.#notebook };
  }

  /** What a reply had been shown stands before it. */
  #flush(seen: number): void {
    const first = this.#pending.findIndex(({ seq }) => seq > seen);
    const shown = this.#pending.splice(0, first < 0 ? this.#pending.length : first);
    (this.#turns.at(-1)?.after ?? this.#opening).push(...shown);
  }
}

/**
 * Estimate and count differ by what the text is, and what is left after a compaction may be of another kind: no text
 * has much fewer tokens than English, which is estimated at 4/3 of them. Beyond the other bound no count is one.
 */
const scaleOf = (counted: number, estimated: number): number =>
  Math.min(3, Math.max(0.8, (MARGIN * counted) / Math.max(1, estimated)));
const MARGIN = 1.05;

/** By number: one that others stored may come after what was stored later. */
function insert(list: Said[], said: Said): void {
  const at = list.findLastIndex(({ seq }) => seq <= said.seq);
  if (list[at]?.seq !== said.seq) list.splice(at + 1, 0, said);
}

function nudge(reply: Reply): string {
  if (reply.finish_reason === 'length')
    return '[Your reply was cut off at the output limit. Go on in smaller pieces: call a tool now.]';
  const said = reply.text.trim() === '' ? 'Your reply was empty' : 'Your reply called no tool';
  return `[${said}. If there is more to do, go on with a tool call. If the task is done, or cannot be done, call finish. To ask the user something, call ask_user.]`;
}

/** The messages of a user as a view shows them; several in a row are one. */
export function addUserText(messages: ModelMessage[], texts: readonly string[]): void {
  if (texts.length === 0) return;
  const last = messages.at(-1);
  const before = last?.role === 'user' && last.content[0]?.type === 'text' ? [last.content[0].text] : [];
  const text = [...before, ...texts].join('\n\n');
  const message: ModelMessage = { role: 'user', content: [{ type: 'text', text }] };
  if (before.length > 0) messages[messages.length - 1] = message;
  else messages.push(message);
}
