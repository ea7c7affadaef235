import type { Budget } from './budget.ts';
import type { ContextState, ContextStrategy, Plan, StepSize } from './strategy.ts';

/**
 * The cheapest layer that frees enough. Nothing happens until the request would be too large; then so much is freed
 * at once that the prefix, and with it the provider's cache, stays the same for many steps.
 */
export const layered: ContextStrategy = {
  name: 'layered',
  plan(state, budget) {
    const { steps } = state;
    const room = stepRoom(state, budget);
    const most = Math.max(budget.compactAt, state.fixed + summaryRoom(state, budget) + room);
    if (state.tokens <= most) return tooManyImages(steps);
    const kept = firstKept(steps, room * budget.keepRecent);
    const last = steps[kept - 1];
    if (!last) return state.tokens > budget.input ? lastResort(steps) : null;
    const withStubs = steps.reduce((sum, each, at) => sum + (at < kept ? each.stub : size(each)), 0);
    const frees = steps.some((each, at) => at < kept && !each.stubbed);
    const enough = withStubs <= room * budget.stubTo;
    return { kind: frees && enough ? 'stubs' : 'summary', through: last.step };
  },
};

/** Where what is always shown takes much, steps still have so much of what they would have, and requests may grow nearly to the input. */
const STEPS_SHARE = 0.4;
const NEARLY = 0.95;

/** Tokens that the steps may take, with a summary as long as it may be. */
export function stepRoom(state: ContextState, budget: Budget): number {
  const always = state.fixed + summaryRoom(state, budget);
  const least = Math.min(budget.compactAt * STEPS_SHARE, budget.input * NEARLY - always);
  return Math.max(0, budget.compactAt - always, least);
}

const summaryRoom = (state: ContextState, budget: Budget): number => Math.max(state.summary, budget.summary);

const size = ({ whole, stub, stubbed }: StepSize): number => (stubbed ? stub : whole);

/** Where the newest steps begin that fit into `tokens`; the very newest is always among them. */
function firstKept(steps: readonly StepSize[], tokens: number): number {
  let sum = 0;
  for (const [back, each] of steps.toReversed().entries()) {
    sum += size(each);
    if (sum > tokens && back > 0) return steps.length - back;
  }
  return 0;
}

/**
 * Requests with many images grow dear, and providers refuse more than a hundred or so. The steps of the older ones
 * become stubs, many at a time.
 */
function tooManyImages(steps: readonly StepSize[]): Plan | null {
  let images = 0;
  let older: StepSize | undefined;
  for (const each of steps.toReversed()) {
    images += each.images;
    if (images > KEPT_IMAGES) older ??= each;
  }
  if (images <= MOST_IMAGES || !older || older === steps.at(-1)) return null;
  return { kind: 'stubs', through: older.step };
}
const KEPT_IMAGES = 10;
const MOST_IMAGES = 30;

/** Only the newest step is left, and it is too large for the window. */
function lastResort(steps: readonly StepSize[]): Plan | null {
  const newest = steps.at(-1);
  if (!newest) return null;
  return { kind: newest.stubbed ? 'summary' : 'stubs', through: newest.step };
}
