import type { ContextStrategy } from '../../src/agent/context/strategy.ts';

/** What is done elsewhere, to be measured against. */

/** Leaves out the oldest steps, just as many as it takes for the request to fit. */
export const dropOldest: ContextStrategy = {
  name: 'drop-oldest',
  plan({ tokens, steps }, { input }) {
    if (tokens <= input) return null;
    let excess = tokens - input;
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
