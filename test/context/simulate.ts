import fc from 'fast-check';
import { type Budget, makeBudget } from '../../src/agent/context/budget.ts';
import { makeRoom } from '../../src/agent/context/compact.ts';
import { layered } from '../../src/agent/context/layered.ts';
import type { ContextState, ContextStrategy } from '../../src/agent/context/strategy.ts';
import { Transcript } from '../../src/agent/context/transcript.ts';
import { View } from '../../src/agent/context/view.ts';
import { readConfig } from '../../src/config.ts';
import type { ModelMessage, ModelReply } from '../../src/model/model.ts';
import { CodedError } from '../../src/protocol/errors.ts';
import type { JobEvent, NewEvent, ToolCall } from '../../src/protocol/events.ts';

/** What the system prompt and the tools are taken to be, in tokens. */
export const OUTSIDE = 150;
const SETTINGS = readConfig({});

export interface Simulation {
  task: string;
  log: JobEvent[];
  transcript: Transcript;
  view: View;
  budget: Budget;
}

/** What a request was made with. */
export interface Request extends Simulation {
  messages: ModelMessage[];
  state: ContextState;
  /** The same as JSON, and what a provider would count of it. */
  json: string;
  counted: number;
  /** Compactions made for it. */
  compacted: number;
}

const words = fc
  .nat(12)
  .chain((kind) =>
    kind < 9
      ? fc.nat(40).map((n) => 'a word of it\n'.repeat(n))
      : fc.nat(220).map((n) => (kind < 11 ? 'long line 漢字 ' : 'x\n').repeat(n)),
  );
const call = fc.record({
  result: words,
  input: fc.oneof({ weight: 4, arbitrary: fc.constant('ls') }, { weight: 1, arbitrary: words }),
  error: fc.boolean(),
  /** A crash took it. */
  lost: fc.nat(15).map((n) => n === 0),
  image: fc.nat(12).map((n) => n === 0),
});
const step = fc.record({
  text: fc.constantFrom('', 'So.', 'Now for the next part of it. '.repeat(8)),
  calls: fc.array(call, { maxLength: 3 }),
  /** Said while the model spoke, while the calls ran, and an answer to a question. */
  early: fc.nat(11).map((n) => n === 0),
  late: fc.nat(5).map((n) => n === 0),
  asks: fc.nat(14).map((n) => n === 0),
  note: fc.nat(8).map((n) => n === 0),
  sandboxLost: fc.nat(30).map((n) => n === 0),
  message: fc.nat(200),
});
/** A job in the rough: what its model does, what comes of it, how long its windows are and how its summaries turn out. */
export const anyJob = fc.record({
  window: fc.integer({ min: 1_800, max: 4_000 }),
  /** Another model from the middle on. */
  laterWindow: fc.option(fc.integer({ min: 1_800, max: 4_000 }), { freq: 5, nil: undefined }),
  task: fc.constantFrom('The task.', 'The task, at length. '.repeat(40)),
  steps: fc.array(step, { minLength: 1, maxLength: 14, size: 'max' }),
  summaries: fc.array(fc.constantFrom('good', 'good', 'empty', 'long', 'refused'), {
    minLength: 1,
    maxLength: 3,
  }),
});
export type AnyJob = typeof anyJob extends fc.Arbitrary<infer T> ? T : never;

/**
 * Plays a job as the loop does, compactions and all, without a model. Calls `look` before each request.
 * @returns how it ended: null, or what it failed with.
 */
export async function simulate(
  job: AnyJob,
  look: (request: Request) => void,
  strategy: ContextStrategy = layered,
): Promise<CodedError | null> {
  const log: JobEvent[] = [];
  const transcript = new Transcript(job.task);
  const view = new View(transcript);
  const append = (event: NewEvent): JobEvent => {
    const stored = { ...event, seq: log.length + 1, time: '2026-01-01T00:00:00Z' } as JobEvent;
    log.push(stored);
    transcript.take([stored]);
    return stored;
  };
  const say = (text: string) => append({ type: 'message.user', data: { text } });
  let asked = 0;
  const ask = async (messages: ModelMessage[]): Promise<ModelReply> => {
    const how = job.summaries[asked++ % job.summaries.length];
    if (how === 'refused') throw new CodedError('MODEL_REJECTED', 'no');
    const text =
      how === 'good' ? '## State\nFine so far.' : how === 'long' ? 'Much ado. '.repeat(3_000) : ' ';
    return { ...REPLY, text, usage: { ...REPLY.usage, input_tokens: count(JSON.stringify(messages)) } };
  };
  for (const [at, each] of job.steps.entries()) {
    const number = at + 1;
    const window = at * 2 > job.steps.length ? (job.laterWindow ?? job.window) : job.window;
    const budget = makeBudget({ contextWindow: window }, SETTINGS);
    const seen = log.length;
    const before = log.length;
    let state: ContextState;
    const work = { transcript, view, strategy, outside: OUTSIDE, newest: () => log.length, ask };
    try {
      state = await makeRoom({ ...work, append: async (event) => append(event) }, budget);
    } catch (error) {
      if (error instanceof CodedError) return error;
      throw error;
    }
    const messages = view.messages(budget.limits);
    const json = JSON.stringify(messages);
    const counted = count(json);
    look({
      task: job.task,
      log,
      transcript,
      view,
      budget,
      messages,
      json,
      state,
      counted,
      compacted: log.length - before,
    });
    if (each.early) say(`«early ${number}» ${'and so on '.repeat(each.message % 30)}`);
    reply(append, number, each, { seen, counted, budget, estimated: state.estimated });
    finishStep(append, say, number, each);
  }
  return null;
}

/** As a provider would: fewer than we think. */
const count = (json: string): number => Math.ceil(json.length / 4) + OUTSIDE;

const REPLY: ModelReply = {
  model: 'x/y',
  text: '',
  toolCalls: [],
  finishReason: 'stop',
  usage: { input_tokens: 1, cached_input_tokens: 0, output_tokens: 10, cost_usd: 0.001 },
  durationMs: 1,
  provider: { role: 'assistant', content: [] },
};

type Step = AnyJob['steps'][number];

function callsOf({ calls, asks }: Step): ToolCall[] {
  const plain = calls.map(({ input }, at) => ({ id: `c${at}`, name: 'shell', input: { command: input } }));
  return asks ? [...plain, { id: 'q', name: 'ask_user', input: { question: 'Which?' } }] : plain;
}

function reply(
  append: (event: NewEvent) => void,
  number: number,
  each: Step,
  { seen, counted, budget, estimated }: { seen: number; counted: number; budget: Budget; estimated: number },
): void {
  const { window, input, limits } = budget;
  const calls = callsOf(each);
  // With what a provider puts around a message and its parts.
  const output_tokens = Math.ceil(JSON.stringify([each.text, calls]).length / 4) + 20 * (calls.length + 1);
  append({
    type: 'model.reply',
    data: {
      step: number,
      model: 'x/y',
      text: each.text,
      tool_calls: calls,
      finish_reason: 'stop',
      usage: { ...REPLY.usage, input_tokens: counted, output_tokens },
      duration_ms: 1,
      seen,
      view: { window, input, estimated, ...limits },
    },
  });
}

function finishStep(
  append: (event: NewEvent) => JobEvent,
  say: (text: string) => JobEvent,
  number: number,
  each: Step,
): void {
  const result = (
    call_id: string,
    tool: string,
    content: string,
    more: { is_error?: boolean; image?: boolean },
  ) =>
    append({
      type: 'tool.result',
      data: {
        step: number,
        call_id,
        tool,
        content,
        is_error: more.is_error ?? false,
        exit_code: 0,
        duration_ms: 1,
        full_output: null,
        ...(more.image && { images: [IMAGE] }),
      },
    });
  for (const [at, { result: content, error, lost, image }] of each.calls.entries())
    if (!lost) result(`c${at}`, 'shell', content, { is_error: error, image });
  if (each.sandboxLost) append({ type: 'sandbox.lost', data: { sandbox: 's', reason: 'r' } });
  if (each.note)
    append({
      type: 'note.pinned',
      data: { step: number, call_id: 'c0', note: number, text: `«note ${number}»` },
    });
  if (each.asks) {
    append({ type: 'question.asked', data: { step: number, call_id: 'q', question: 'Which?' } });
    const answer = `«answer ${number}» ${'this one, '.repeat(each.message % 60)}`;
    const { seq } = say(answer);
    append({ type: 'question.answered', data: { step: number, call_id: 'q', message_seq: seq } });
    result('q', 'ask_user', answer, {});
  }
  if (each.late) say(`«late ${number}» ${'and more '.repeat(each.message % 40)}`);
}
const IMAGE = { id: '0'.repeat(32), media_type: 'image/png' as const, bytes: 10, width: 300, height: 200 };
