import type { Config } from '../../config.ts';

/** The settings that a budget is made of. */
export type ContextSettings = Pick<
  Config,
  | 'CONTEXT_COMPACT_AT'
  | 'CONTEXT_MOST_TOKENS'
  | 'CONTEXT_STUB_TO'
  | 'CONTEXT_KEEP_RECENT'
  | 'CONTEXT_SUMMARY_TOKENS'
  | 'CONTEXT_RESULT_SHARE'
  | 'CONTEXT_REPLY_TOKENS'
>;

/** What of a step's results a view shows at most, in tokens. */
export interface ResultLimits {
  /** Of one result. */
  result: number;
  /** Of all results of one step: parallel calls share it. */
  step: number;
}

/** How large requests may be, in tokens. */
export interface Budget {
  /** The model's window. */
  window: number;
  /** Kept free in it for the reply. */
  reply: number;
  /** The rest: no request may be larger. */
  input: number;
  /** A request that would be larger is compacted first. */
  compactAt: number;
  /** Of the room that is left for steps, the share that stubs must bring them down to; else they are summarised. */
  stubTo: number;
  /** Of the same room, the share that the newest steps keep, whole. */
  keepRecent: number;
  /** The longest summary. */
  summary: number;
  limits: ResultLimits;
}

/** For a model whose window nobody knows. One that has less says so, and is compacted for. */
const ASSUMED_WINDOW = 128_000;
/** However small the window: what is kept for the reply, and what a summary may take of the rest. */
const MOST_FOR_REPLY = 1 / 4;
const MOST_FOR_SUMMARY = 1 / 8;
/** Of the input, for all results of one step: the newest step must always fit beside task and summary. */
const STEP_SHARE = 0.3;

/** The budget of a model's window, `null` when it is not known. */
export function makeBudget(window: number | null, settings: ContextSettings): Budget {
  const whole = window ?? ASSUMED_WINDOW;
  const reply = Math.min(settings.CONTEXT_REPLY_TOKENS, Math.floor(whole * MOST_FOR_REPLY));
  return { ...budgetOf(whole - reply, settings), window: whole, reply };
}

/** The same for requests of at most `input` tokens: what is left when a provider refuses what should have fitted. */
export const lowerTo = (budget: Budget, input: number, settings: ContextSettings): Budget => ({
  ...budget,
  ...budgetOf(input, settings),
});

function budgetOf(input: number, settings: ContextSettings): Omit<Budget, 'window' | 'reply'> {
  return {
    input,
    compactAt: Math.min(Math.floor(input * settings.CONTEXT_COMPACT_AT), settings.CONTEXT_MOST_TOKENS),
    stubTo: settings.CONTEXT_STUB_TO,
    keepRecent: settings.CONTEXT_KEEP_RECENT,
    summary: Math.min(settings.CONTEXT_SUMMARY_TOKENS, Math.floor(input * MOST_FOR_SUMMARY)),
    limits: {
      result: Math.floor(input * settings.CONTEXT_RESULT_SHARE),
      step: Math.floor(input * STEP_SHARE),
    },
  };
}
