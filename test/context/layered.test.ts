import { describe, expect, it } from 'vitest';
import { type BudgetModel, makeBudget } from '../../src/agent/context/budget.ts';
import { layered } from '../../src/agent/context/layered.ts';
import type { ContextState, ContextStrategy, StepSize } from '../../src/agent/context/strategy.ts';
import { sizeOf, total } from '../../src/agent/context/worth.ts';
import { readConfig } from '../../src/config.ts';

const HEAD = 5_000;
const STUB = 130;
const STEPS = 1_500;
/** How long the steps of a job are, in tokens. */
const SHAPES: Record<string, (step: number) => number> = {
  even: () => 1_500,
  small: () => 250,
  'now and then huge': (step) => (step % 4 === 0 ? 10_000 : 1_500),
  mixed: (step) => [200, 400, 900, 3_000, 8_000, 300][step % 6] ?? 0,
};

interface Played {
  /** Of a step, in tokens of fresh input: its request and its share of the compactions. */
  cost: number;
  longest: number;
  compactions: number;
}

/** A job in figures alone: what its requests and summaries cost, with a provider that caches what is the same. */
function play(
  shape: (step: number) => number,
  { strategy = layered, model = {}, patience = 1 }: Partial<Options> = {},
): Played {
  const settings = readConfig({ CONTEXT_PATIENCE: String(patience) });
  const budget = makeBudget({ contextWindow: 200_000, ...model }, settings);
  const { cached, written, output } = budget.weights;
  const played: Played = { cost: 0, longest: 0, compactions: 0 };
  let steps: StepSize[] = [];
  let summary = 0;
  let sent = 0;
  for (let step = 1; step <= STEPS; step += 1) {
    for (;;) {
      const tokens = HEAD + summary + total(steps, sizeOf);
      const state: ContextState = { tokens, estimated: tokens, fixed: HEAD, summary, steps };
      const plan = strategy.plan(state, budget);
      if (!plan) break;
      const covered = steps.filter((each) => each.step <= plan.through);
      const first = steps.findIndex(({ stubbed }) => !stubbed);
      played.compactions += 1;
      if (plan.kind === 'stubs') {
        sent = Math.min(sent, HEAD + summary + total(steps.slice(0, first), sizeOf));
        steps = steps.map((each) => (covered.includes(each) ? { ...each, stubbed: true } : each));
      } else {
        summary = Math.min(budget.summary, summary + total(covered, sizeOf));
        played.cost += cached * tokens + output * summary;
        steps = steps.filter((each) => !covered.includes(each));
        sent = HEAD;
      }
    }
    const tokens = HEAD + summary + total(steps, sizeOf);
    played.cost += cached * Math.min(sent, tokens) + written * Math.max(0, tokens - sent);
    played.longest = Math.max(played.longest, tokens);
    sent = tokens;
    const whole = Math.min(shape(step), budget.limits.result);
    steps.push({ step, whole, stub: Math.min(whole, STUB), stubbed: false, images: 0 });
  }
  return { ...played, cost: played.cost / STEPS };
}

interface Options {
  strategy: ContextStrategy;
  model: Partial<BudgetModel>;
  patience: number;
}

/** What layered keeps of the newest steps, about. */
const KEPT = 12_000;

/** One summary of all but the newest steps, whenever requests have grown to a length. */
const summaryAt = (length: number): ContextStrategy => ({
  name: `at-${length}`,
  plan: ({ tokens, steps }) => {
    if (tokens <= length) return null;
    const old = steps.filter((_, at) => total(steps.slice(at), sizeOf) > KEPT && at < steps.length - 1);
    const through = old.at(-1)?.step;
    return through === undefined ? null : { kind: 'summary', through };
  },
});

describe('compacts when it pays', () => {
  it.each(Object.keys(SHAPES))('costs hardly more than the best of all fixed lengths, steps: %s', (name) => {
    const shape = SHAPES[name] ?? (() => 0);
    const fixed = [25_000, 40_000, 60_000, 80_000, 100_000, 150_000].map(
      (length) => play(shape, { strategy: summaryAt(length) }).cost,
    );
    expect(play(shape).cost).toBeLessThan(1.05 * Math.min(...fixed));
  });

  it.each(Object.keys(SHAPES))('more patience shows more, and costs little more, steps: %s', (name) => {
    const shape = SHAPES[name] ?? (() => 0);
    const [cheapest, patient, full] = [1, 2, 1_000].map((patience) => play(shape, { patience }));
    expect(patient?.longest).toBeGreaterThan(cheapest?.longest ?? 0);
    expect(patient?.cost).toBeLessThan(1.15 * (cheapest?.cost ?? 0));
    expect(full?.longest).toBeGreaterThan(patient?.longest ?? 0);
    expect(full?.cost).toBeGreaterThan(patient?.cost ?? 0);
  });

  it('goes by the prices: the cheaper the cache, the longer it carries', () => {
    const even = SHAPES.even ?? (() => 0);
    const longest = [0.025, 0.1, 0.25, 0.5, 1].map(
      (cached) => play(even, { model: { weights: { cached, written: 1, output: 5 } } }).longest,
    );
    expect(longest).toEqual(longest.toSorted((a, b) => b - a));
    expect(longest[0]).toBeGreaterThan(1.5 * (longest[1] ?? 0));
    // Without a cache it is no less than with a poor one: what is cheapest then is to show next to nothing.
    expect(longest[4]).toBe(longest[3]);
  });

  it('never grows into requests that cost more a token', () => {
    const even = SHAPES.even ?? (() => 0);
    const model = { dearAbove: 40_000 };
    expect(play(even, { patience: 1_000 }).longest).toBeGreaterThan(80_000);
    expect(play(even, { patience: 1_000, model }).longest).toBeLessThanOrEqual(40_000);
  });

  it('frees so much for want of room that the next compaction is far', () => {
    const { compactions } = play(SHAPES.even ?? (() => 0), { model: { contextWindow: 32_000 } });
    expect(compactions).toBeLessThan(STEPS / 5);
  });
});
