import type { Budget } from './budget.ts';
import type { ContextState, ContextStrategy, Plan, StepSize } from './strategy.ts';
import { sizeOf, type Worth, worthOfStubs, worthOfSummary } from './worth.ts';

/**
 * Compacts when it pays, or when it must. What is carried along costs a little with every step, a compaction costs much
 * once: it is due when the one has come to as much as the other, times the patience that is set. For steps of even size
 * that is where a step is cheapest in the long run; for any others it costs at most twice as much as knowing them
 * beforehand would (the ski rental problem). Of stubs and a summary the one is taken under which a step costs less.
 */
export const layered: ContextStrategy = {
  name: 'layered',
  plan(state, budget) {
    const { steps } = state;
    const room = stepRoom(state, budget);
    const most = Math.max(budget.compactAt, state.fixed + summaryRoom(state, budget) + room);
    const kept = firstKept(steps, room * budget.keepRecent);
    const stubs = worthOfStubs(state, kept, budget);
    const summary = worthOfSummary(state, kept, budget);
    const ways = [stubs, summary].filter((way) => way !== null);
    if (state.tokens > most) {
      const enough = ways.filter(({ frees }) => state.tokens - frees <= most - room * ENOUGH);
      const way = cheapest(enough) ?? summary;
      return way?.plan ?? (state.tokens > budget.input ? lastResort(steps) : null);
    }
    const due = ways.filter(({ carried, costs, frees }) => frees > 0 && carried >= budget.patience * costs);
    return cheapest(due)?.plan ?? tooManyImages(steps);
  },
};

/** Of the room for steps, what must be free after a compaction for want of room: else the next one follows shortly. */
const ENOUGH = 0.5;

const cheapest = (ways: readonly Worth[]): Worth | undefined =>
  ways.toSorted((a, b) => a.perStep - b.perStep)[0];

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

/** Where the newest steps begin that fit into `tokens`; the very newest is always among them. */
function firstKept(steps: readonly StepSize[], tokens: number): number {
  let sum = 0;
  for (const [back, each] of steps.toReversed().entries()) {
    sum += sizeOf(each);
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
