import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { layered } from '../../src/agent/context/layered.ts';
import type { ContextStrategy } from '../../src/agent/context/strategy.ts';
import { readConfig } from '../../src/config.ts';
import { openStore } from '../../src/store/open-store.ts';
import { dropOldest, keepLast, summaryAt75 } from './baselines.ts';
import type { Outcome } from './outcome.ts';
import { openPieces, type Piece } from './pieces.ts';
import { contextTable, writeContextTable } from './report.ts';
import { runContextJob } from './run.ts';

const { CONTEXT_STEPS, CONTEXT_CHARACTERS, CONTEXT_WINDOWS, CONTEXT_STRATEGIES, CONTEXT_OUT, ...others } =
  process.env;
/** Pieces of work of a job; 5000 make about ten million tokens. */
const steps = Number(CONTEXT_STEPS ?? 250);
/** Of a result; 7,600 are about 2,000 tokens. */
const characters = Number(CONTEXT_CHARACTERS ?? 7_600);
const WINDOWS = (CONTEXT_WINDOWS ?? '16000,32000,200000').split(',').map(Number);
const STRATEGIES = [layered, dropOldest, summaryAt75, keepLast].filter(
  ({ name }) => !CONTEXT_STRATEGIES || CONTEXT_STRATEGIES.split(',').includes(name),
);
/** Those of the server's settings that are about the context: to be tried here. */
const settings = Object.fromEntries(
  Object.entries(others).flatMap(([name, value]) =>
    name.startsWith('CONTEXT_') && value !== undefined ? [[name, value]] : [],
  ),
);

/**
 * What an agent still knows of a job many times its model's window, and what its requests cost: this and what is done
 * elsewhere, on the same made-up jobs. Jobs whose outcomes are in the file CONTEXT_OUT already are not played again.
 */
export async function context(write: boolean): Promise<void> {
  const pieces = await openPieces(CONTEXT_OUT);
  const outcomes: Outcome[] = [];
  for (const window of WINDOWS) {
    for (const strategy of STRATEGIES) {
      const piece = { strategy: strategy.name, window, steps, characters, seed: 1, settings };
      outcomes.push(pieces.find(piece) ?? (await pieces.add(piece, await play(strategy, piece))));
    }
  }
  const table = contextTable(outcomes);
  process.stdout.write(`${table}\n`);
  if (write) await writeContextTable(table);
}

/** One job, on a database of its own. */
async function play(strategy: ContextStrategy, piece: Piece): Promise<Outcome> {
  process.stderr.write(`  ${strategy.name} in ${piece.window} ...\n`);
  const DATA_DIR = await mkdtemp(join(tmpdir(), 'agent-bench-'));
  try {
    const store = await openStore(readConfig({ DATA_DIR }), pino({ level: 'silent' }));
    try {
      const outcome = await runContextJob(store, { ...piece, strategy });
      for (const line of outcome.missed) process.stderr.write(`    missed: ${line}\n`);
      return outcome;
    } finally {
      await store.close();
    }
  } finally {
    await rm(DATA_DIR, { recursive: true, force: true });
  }
}
