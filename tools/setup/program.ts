import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { SetupError, say } from './output.ts';

const TAIL_LINES = 30;

interface ProgramOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Called with each line that it prints, of either stream. */
  onLine?: (line: string) => void;
}

/**
 * Runs a program of set-up quietly to its end.
 * @returns what it printed to stdout
 * @throws SetupError with the last lines that it printed when it fails or is not there
 */
export async function runProgram(argv: string[], options: ProgramOptions = {}): Promise<string> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    ...options,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const tail: string[] = [];
  const out: string[] = [];
  const take = async (stream: Readable, keep?: string[]): Promise<void> => {
    for await (const line of createInterface({ input: stream })) {
      keep?.push(line);
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      options.onLine?.(line);
    }
  };
  const [ended] = await Promise.all([exitOf(child, program), take(child.stdout, out), take(child.stderr)]);
  if (ended !== 0) throw failed(argv, ended, tail);
  return out.join('\n');
}

/** Waits for a child; resolves with its exit code or its signal. @throws SetupError when it cannot be started. */
export async function exitOf(child: ChildProcess, program: string): Promise<number | string> {
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return code ?? String(signal);
  } catch (error) {
    throw new SetupError(
      `${program} could not be started: ${error instanceof Error ? error.message : error}`,
    );
  }
}

export function failed(argv: string[], ended: number | string, tail: string[]): SetupError {
  const how = typeof ended === 'number' ? `exit code ${ended}` : ended;
  return new SetupError(
    [`This failed (${how}): ${argv.join(' ')}`, ...tail.map((line) => `  ${line}`)].join('\n'),
  );
}

/**
 * Hands the terminal to a program: its output is shown as it is, Ctrl-C reaches it, SIGTERM and SIGHUP are passed on.
 * @returns its exit code, or 128 and the signal's number as a shell has it
 */
export async function handOver(argv: string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { env, stdio: 'inherit' });
  // The terminal sends Ctrl-C to both; this side waits for how the other ends.
  const ignore = (): void => undefined;
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', ignore).on('SIGTERM', forward).on('SIGHUP', forward);
  try {
    const ended = await exitOf(child, program);
    if (typeof ended === 'number') return ended;
    say(`${program} was ended by ${ended}`);
    return 128 + (constants.signals[ended as NodeJS.Signals] ?? 0);
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', forward).off('SIGHUP', forward);
  }
}
