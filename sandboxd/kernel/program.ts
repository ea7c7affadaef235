import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '../../src/protocol/errors.ts';
import { type Ground, launch, type Running } from '../process/launch.ts';
import { Ring } from '../process/ring.ts';
import type { Exit } from '../process/spawn.ts';
import { killTree, signalAll } from '../process/tree.ts';

const START_MS = 60_000;
const LAST_WORDS_BYTES = 4_096;

/** The process of a kernel. */
export interface Program {
  running: Running;
  exit: Promise<Exit>;
  lastWords(): string;
  endStarted(sinceTicks: number): Promise<void>;
  end(): Promise<void>;
}

export interface ProgramRequest {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  /** What it writes to its own stdout and stderr; left out, only the last words are kept. */
  onOutput?: (stream: 'stdout' | 'stderr', bytes: Buffer) => Promise<void> | undefined;
}

/** Starts the process of a kernel and waits until it can be talked to. @throws CodedError KERNEL_START_FAILED */
export async function startProgram<Client>(
  ground: Ground,
  request: ProgramRequest,
  open: (signal: AbortSignal) => Promise<Client>,
): Promise<{ program: Program; client: Client }> {
  const said = new Ring(LAST_WORDS_BYTES);
  const sink = (stream: 'stdout' | 'stderr') => (bytes: Buffer) => {
    if (stream === 'stderr') said.write(bytes);
    return request.onOutput?.(stream, bytes);
  };
  const { argv, cwd, env } = request;
  const running = await launch(ground, { argv, cwd, env, stdin: false }, sink('stdout'), sink('stderr'));
  let exited = false;
  void running.ended.then(() => {
    exited = true;
  });
  const program: Program = {
    running,
    exit: running.ended.then(({ exit_code, signal }) => ({
      code: exit_code,
      signal: signal as Exit['signal'],
    })),
    lastWords: () => said.read(said.start, LAST_WORDS_BYTES).toString().trim(),
    endStarted: (sinceTicks) =>
      killTree((found, mark) => {
        if (found.pid === running.pid || found.start < sinceTicks) return false;
        return running.belongs(found, mark);
      }),
    // It holds nothing that wants an orderly end. Its group first, at one stroke: hundreds of processes that a fork bomb has
    // made leave sandboxd no time to look for them one by one.
    end() {
      if (!exited) signalAll([-running.pid], 'SIGKILL');
      return killTree(running.belongs);
    },
  };
  const over = new AbortController();
  const opened = open(over.signal);
  opened.catch(() => {});
  try {
    const client = await Promise.race([
      opened,
      program.exit.then(({ code, signal }) => {
        throw failed(`it ended by itself (${signal ?? `exit code ${code}`}). ${program.lastWords()}`);
      }),
      delay(START_MS, undefined, { signal: over.signal }).then(() => {
        throw failed(`it did not answer for ${START_MS / 1_000} s. ${program.lastWords()}`);
      }),
    ]);
    return { program, client };
  } catch (error) {
    await program.end();
    throw error;
  } finally {
    over.abort();
  }
}

const failed = (why: string): CodedError =>
  new CodedError('KERNEL_START_FAILED', `The kernel did not start: ${why}`.trim());
