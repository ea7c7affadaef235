import type { Config } from '../../config.ts';
import type { Model } from '../../model/model.ts';
import { type TokenWeights, USUAL_WEIGHTS } from '../../model/weights.ts';

/** The settings that a budget is made of. */
export type ContextSettings = Pick<
  Config,
  | 'CONTEXT_COMPACT_AT'
  | 'CONTEXT_MOST_TOKENS'
  | 'CONTEXT_PATIENCE'
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
  /** What carrying steps along may have cost before they are compacted, in what that costs. */
  patience: number;
  weights: TokenWeights;
  /** Requests above it cost more a token. */
  dearAbove: number;
  /** Of the room that is left for steps, the share that the newest steps keep, whole. */
  keepRecent: number;
  /** The longest summary. */
  summary: number;
  limits: ResultLimits;
}

/** What a budget must know of a model. */
export type BudgetModel = Pick<Model, 'contextWindow' | 'weights' | 'dearAbove'>;

/** For a model whose window nobody knows. One that has less says so, and is compacted for. */
const ASSUMED_WINDOW = 128_000;
/** However small the window: what is kept for the reply, and what a summary may take of the rest. */
const MOST_FOR_REPLY = 1 / 4;
const MOST_FOR_SUMMARY = 1 / 8;
/** Without a cache (1) carrying is so dear that next to nothing would be shown: less than what is cheapest is not wanted. */
const MOST_CACHED = 0.5;
/** Of the input, for all results of one step: the newest step must always fit beside task and summary. */
const STEP_SHARE = 0.3;

/** The budget of a model; what is not known of it is taken to be as usual. */
export function makeBudget(model: Partial<BudgetModel>, settings: ContextSettings): Budget {
  const window = model.contextWindow ?? ASSUMED_WINDOW;
  const reply = Math.min(settings.CONTEXT_REPLY_TOKENS, Math.floor(window * MOST_FOR_REPLY));
  const { cached, ...weights } = model.weights ?? USUAL_WEIGHTS;
  const budget = {
    window,
    reply,
    patience: settings.CONTEXT_PATIENCE,
    weights: { ...weights, cached: Math.min(cached, MOST_CACHED) },
    dearAbove: model.dearAbove ?? Number.POSITIVE_INFINITY,
  };
  return { ...budget, ...sizesOf(window - reply, budget, settings) };
}

/** The same for requests of at most `input` tokens: what is left when a provider refuses what should have fitted. */
export const lowerTo = (budget: Budget, input: number, settings: ContextSettings): Budget => ({
  ...budget,
  ...sizesOf(input, budget, settings),
});

type Sizes = Pick<Budget, 'input' | 'compactAt' | 'keepRecent' | 'summary' | 'limits'>;

function sizesOf(input: number, { dearAbove }: Pick<Budget, 'dearAbove'>, settings: ContextSettings): Sizes {
  const share = Math.floor(input * settings.CONTEXT_COMPACT_AT);
  return {
    input,
    compactAt: Math.min(share, settings.CONTEXT_MOST_TOKENS, dearAbove),
    keepRecent: settings.CONTEXT_KEEP_RECENT,
    summary: Math.min(settings.CONTEXT_SUMMARY_TOKENS, Math.floor(input * MOST_FOR_SUMMARY)),
    limits: {
      result: Math.floor(input * settings.CONTEXT_RESULT_SHARE),
      step: Math.floor(input * STEP_SHARE),
    },
  };
}
