import type { Budget } from './budget.ts';
import type { ContextState, Plan, StepSize } from './strategy.ts';

/** A compaction in figures. Costs are in tokens of fresh input. */
export interface Worth {
  plan: Plan;
  /** Tokens that the next request has less. */
  frees: number;
  /** What it costs, once: the request for it, its words, and what must be written to the cache anew. */
  costs: number;
  /** What has been paid so far for carrying along what it frees, counted from when it could have been freed. */
  carried: number;
  /** What a step costs under it in the long run: it frees the room of so many steps, and what it leaves is carried. */
  perStep: number;
}

/** The request for a summary and what stands around it. */
const ASKING = 400;

/** What it is worth to make stubs of the results of the steps before `kept`; null when all of them are stubs. */
export function worthOfStubs(state: ContextState, kept: number, budget: Budget): Worth | null {
  const { steps } = state;
  const first = steps.findIndex(({ stubbed }) => !stubbed);
  const last = steps[kept - 1];
  if (!last || first < 0 || first >= kept) return null;
  const { cached, written } = budget.weights;
  const rewritten = total(steps.slice(first, kept), ({ stub }) => stub) + total(steps.slice(kept), sizeOf);
  return worth(state, kept, budget, {
    plan: { kind: 'stubs', through: last.step },
    costs: (written - cached) * rewritten,
    leaves: total(steps.slice(0, kept), ({ stub }) => stub),
    freed: (step) => sizeOf(step) - step.stub,
    extra: 0,
  });
}

/** What it is worth to have a summary in place of the steps before `kept` and of the summary before. */
export function worthOfSummary(state: ContextState, kept: number, budget: Budget): Worth | null {
  const { steps, summary, tokens } = state;
  const last = steps[kept - 1];
  if (!last) return null;
  const { cached, written, output } = budget.weights;
  const replaced = summary + total(steps.slice(0, kept), sizeOf);
  const text = Math.min(budget.summary, replaced);
  const rewritten = text + total(steps.slice(kept), sizeOf);
  return worth(state, kept, budget, {
    plan: { kind: 'summary', through: last.step },
    costs: cached * tokens + written * ASKING + output * text + (written - cached) * rewritten,
    leaves: text,
    freed: sizeOf,
    extra: summary - text,
  });
}

interface Parts {
  plan: Plan;
  costs: number;
  /** What stands for the steps afterwards. */
  leaves: number;
  freed(step: StepSize): number;
  /** Freed beside the steps. */
  extra: number;
}

function worth(
  { steps }: ContextState,
  kept: number,
  { weights: { cached } }: Budget,
  { plan, costs, leaves, freed, extra }: Parts,
): Worth {
  const frees = total(steps.slice(0, kept), freed) + extra;
  const step = total(steps, ({ whole }) => whole) / steps.length;
  return {
    plan,
    frees,
    costs,
    carried: cached * carriedTokens(steps, kept, freed),
    perStep: frees > 0 ? (costs * step) / frees + cached * leaves : Number.POSITIVE_INFINITY,
  };
}

/**
 * Each step's tokens as often as they were sent since the step could have been compacted: since so many newer ones
 * stood behind it as are kept now.
 */
function carriedTokens(steps: readonly StepSize[], kept: number, freed: (step: StepSize) => number): number {
  return steps.slice(0, kept).reduce((sum, step, at) => sum + freed(step) * (kept - 1 - at), 0);
}

export const sizeOf = ({ whole, stub, stubbed }: StepSize): number => (stubbed ? stub : whole);

export const total = (steps: readonly StepSize[], size: (step: StepSize) => number): number =>
  steps.reduce((sum, step) => sum + size(step), 0);
