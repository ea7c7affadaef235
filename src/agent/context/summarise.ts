import type { ModelMessage } from '../../model/model.ts';
import { CodedError, type ErrorCode } from '../../protocol/errors.ts';
import type { StepUsage } from '../../protocol/events.ts';
import { estimateTokens } from '../estimate.ts';
import type { Budget } from './budget.ts';
import { clip } from './clip.ts';
import type { Compaction } from './compaction.ts';
import { digest } from './digest.ts';
import type { ContextState } from './strategy.ts';
import { summaryReminder, summaryRequest } from './summary.ts';
import { addUserText } from './transcript.ts';

export interface Summary {
  /** The last step that it stands for: less than asked for where one request cannot hold more. */
  through: number;
  text: string;
  author: 'model' | 'digest';
  /** Why the model's own was not taken as it was; null when it was. */
  fault: string | null;
  usage: StepUsage | null;
}

const TRIES = 2;
const REMINDER_TOKENS = 60;
/** A summary that is longer than asked for by no more than this is taken. */
const TOLERANCE = 1.3;
/** What a provider may say to the request for a summary that need not end the job. */
const BEARABLE = new Set<ErrorCode>(['CONTEXT_OVERFLOW', 'MODEL_REJECTED', 'MODEL_ANSWER_INVALID']);

/**
 * A summary of the steps up to `through`, merged with the one before: by the model, which is asked behind the view
 * that it has been shown, so that the provider's cache serves; where that fails, by {@link digest}. It is always
 * shorter than what it replaces, unless that is shorter than any summary.
 * @throws what the model fails with for good: no key, not reachable.
 */
export async function summarise(
  work: Compaction,
  wanted: number,
  state: ContextState,
  budget: Budget,
): Promise<Summary> {
  const { transcript, view } = work;
  const most = budget.input - estimateTokens(summaryRequest(wanted, budget.summary)) - REMINDER_TOKENS;
  const whole = state.tokens <= most;
  const through = whole ? wanted : mostThatFits(state, wanted, most);
  const turns = transcript.turns.filter(({ step }) => step <= (through ?? wanted));
  const covered = state.steps.filter(({ step }) => step <= (through ?? wanted));
  const replaced = covered.reduce(
    (sum, each) => sum + (each.stubbed ? each.stub : each.whole),
    state.summary,
  );
  const room = Math.max(1, Math.min(budget.summary, replaced));
  const own = (fault: string, usage: StepUsage | null): Summary => ({
    through: through ?? wanted,
    text: digest(transcript.memory?.summary ?? null, turns, room),
    author: 'digest',
    fault,
    usage,
  });
  if (through === null) return own('no request for it fits the window', null);

  const messages = view.messages(budget.limits, whole ? undefined : through);
  addUserText(messages, [summaryRequest(through, room)]);
  const answer = await askFor(work, messages, { room, most: Math.min(room * TOLERANCE, replaced) });
  if (answer.text === null) return own(answer.fault ?? '', answer.usage);
  return { through, text: answer.text, author: 'model', fault: answer.fault, usage: answer.usage };
}

/** The newest step up to which all fits into one request; null when not even the first does. */
function mostThatFits(state: ContextState, wanted: number, tokens: number): number | null {
  let sum = state.fixed + state.summary;
  let through: number | null = null;
  for (const { step, whole, stub, stubbed } of state.steps) {
    sum += stubbed ? stub : whole;
    if (sum > tokens || step > wanted) break;
    through = step;
  }
  return through;
}

interface Answer {
  /** Null when there is none. */
  text: string | null;
  fault: string | null;
  usage: StepUsage | null;
}

async function askFor(
  work: Compaction,
  messages: ModelMessage[],
  { room, most }: { room: number; most: number },
): Promise<Answer> {
  let usage: StepUsage | null = null;
  let last: Answer = { text: null, fault: 'the model gave none', usage };
  for (let tried = 1; tried <= TRIES; tried += 1) {
    try {
      const reply = await work.ask(messages);
      usage = add(usage, reply.usage);
      const text = reply.text.trim();
      const tokens = estimateTokens(text);
      if (text !== '' && tokens <= most) return { text, fault: null, usage };
      const fault =
        text === '' ? 'the model gave no text' : `the model's was about ${tokens} tokens instead of ${room}`;
      last = { text: text === '' ? last.text : shortened(text, room), fault, usage };
      messages = [...messages];
      addUserText(messages, [summaryReminder(fault)]);
    } catch (error) {
      if (!(error instanceof CodedError) || !BEARABLE.has(error.code)) throw error;
      return { ...last, fault: `${error.code}: ${error.message.slice(0, 500)}`, usage };
    }
  }
  return { ...last, usage };
}

const shortened = (text: string, tokens: number): string =>
  clip(text, tokens, (missing) => `[... ${missing} characters of this summary left out ...]`);

function add(
  sum: StepUsage | null,
  { input_tokens, cached_input_tokens, output_tokens, cost_usd }: StepUsage,
): StepUsage {
  if (!sum) return { input_tokens, cached_input_tokens, output_tokens, cost_usd };
  return {
    input_tokens: sum.input_tokens + input_tokens,
    cached_input_tokens: sum.cached_input_tokens + cached_input_tokens,
    output_tokens: sum.output_tokens + output_tokens,
    cost_usd: sum.cost_usd === null || cost_usd === null ? null : sum.cost_usd + cost_usd,
  };
}
