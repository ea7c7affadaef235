import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { layered } from '../../src/agent/context/layered.ts';
import { readConfig } from '../../src/config.ts';
import { openStore } from '../../src/store/open-store.ts';
import { dropOldest, keepLast, summaryAt75 } from './baselines.ts';
import type { Outcome } from './outcome.ts';
import { contextTable, writeContextTable } from './report.ts';
import { runContextJob } from './run.ts';

/** Pieces of work of a job; 5000 make about ten million tokens. */
const STEPS = Number(process.env.CONTEXT_STEPS ?? 250);
const WINDOWS = (process.env.CONTEXT_WINDOWS ?? '16000,32000,200000').split(',').map(Number);
const STRATEGIES = [layered, dropOldest, summaryAt75, keepLast].filter(
  ({ name }) => !process.env.CONTEXT_STRATEGIES || process.env.CONTEXT_STRATEGIES.split(',').includes(name),
);
/** About 2,000 tokens a step. */
const CHARACTERS = 7_600;

/**
 * What an agent still knows of a job many times its model's window, and what its requests cost: this and what is done
 * elsewhere, on the same made-up jobs.
 */
export async function context(write: boolean): Promise<void> {
  const DATA_DIR = await mkdtemp(join(tmpdir(), 'agent-bench-'));
  const store = await openStore(readConfig({ DATA_DIR }), pino({ level: 'silent' }));
  const outcomes: Outcome[] = [];
  try {
    for (const window of WINDOWS) {
      for (const strategy of STRATEGIES) {
        process.stderr.write(`  ${strategy.name} in ${window} ...\n`);
        const options = { strategy, window, steps: STEPS, characters: CHARACTERS, seed: 1 };
        const outcome = await runContextJob(store, options);
        for (const line of outcome.missed) process.stderr.write(`    missed: ${line}\n`);
        outcomes.push(outcome);
      }
    }
  } finally {
    await store.close();
    await rm(DATA_DIR, { recursive: true, force: true });
  }
  const table = contextTable(outcomes);
  process.stdout.write(`${table}\n`);
  if (write) await writeContextTable(table);
}
