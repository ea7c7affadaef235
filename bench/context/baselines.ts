import type { ContextStrategy } from '../../src/agent/context/strategy.ts';

/** What is done elsewhere, to be measured against. */

/**
 * Leaves out the oldest steps, just as many as it takes for the request to fit. All that is shown is counted in the
 * same way every time, as those do who count what they send: a step comes, a step goes.
 */
export const dropOldest: ContextStrategy = {
  name: 'drop-oldest',
  plan({ tokens, fixed, summary, steps }, { input }) {
    let excess =
      Math.max(
        tokens,
        steps.reduce((sum, { whole }) => sum + whole, fixed + summary),
      ) - input;
    if (excess <= 0) return null;
    const last = steps.slice(0, -1).find(({ whole }) => {
      excess -= whole;
      return excess <= 0;
    });
    const through = last ?? steps.at(-2);
    return through ? { kind: 'drop', through: through.step } : null;
  },
};

/** At three quarters of the window one summary takes the place of everything. */
export const summaryAt75: ContextStrategy = {
  name: 'summary-at-75-%',
  plan({ tokens, steps }, { window }) {
    const newest = steps.at(-1);
    return newest && tokens > window * 0.75 ? { kind: 'summary', through: newest.step } : null;
  },
};

const KEPT = 10;

/** Shows the newest ten steps, or as many as fit. */
export const keepLast: ContextStrategy = {
  name: `keep-last-${KEPT}`,
  plan(state, budget) {
    const last = state.steps.at(-1 - KEPT);
    return last ? { kind: 'drop', through: last.step } : dropOldest.plan(state, budget);
  },
};
