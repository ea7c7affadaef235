import { expect, it } from 'vitest';
import { dropOldest } from '../../bench/context/baselines.ts';
import { runContextJob } from '../../bench/context/run.ts';
import { layered } from '../../src/agent/context/layered.ts';
import { openTestStore } from '../support/database.ts';

/** The smallest size of bench/context: what it promises must hold here as well. */
it('remembers a job of twelve windows, for less than leaving the oldest out costs', async () => {
  const test = await openTestStore();
  try {
    const job = { window: 16_000, steps: 100, characters: 7_600, seed: 2 };
    const ours = await runContextJob(test.store, { ...job, strategy: layered });
    expect(ours.missed).toEqual([]);
    expect(ours).toMatchObject({ withRecall: 1, refused: 0 });
    expect(ours.history).toBeGreaterThan(12 * job.window);
    expect(ours.questions).toBeGreaterThan(15);
    expect(ours.largest).toBeLessThan(1);
    const theirs = await runContextJob(test.store, { ...job, strategy: dropOldest });
    expect(theirs.refused).toBe(0);
    expect(ours.cost).toBeLessThan(theirs.cost / 1.5);
    expect(ours.tokens).toBeLessThan(theirs.tokens);
  } finally {
    await test.close();
  }
}, 120_000);
