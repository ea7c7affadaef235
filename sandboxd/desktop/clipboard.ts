import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '../../src/protocol/errors.ts';
import { Program } from './program.ts';

const LIMIT_MS = 5_000;
const POLL_MS = 10;
const MAX_CHARS = 1024 * 1024;
/** What xclip says when nobody has put anything there, or nothing that is text. */
const EMPTY = /target .* not available|There is no owner/i;

/** The text that is on the clipboard; empty where there is none. */
export async function readClipboard(env: Record<string, string>): Promise<string> {
  const argv = ['xclip', '-selection', 'clipboard', '-out', '-target', 'UTF8_STRING'];
  const program = new Program(argv, env, ['ignore', 'pipe', 'pipe']);
  const { stdout } = program.child;
  const [read] = await within(program, Promise.all([stdout ? text(stdout) : '', program.ended]));
  const failure = program.failure();
  if (program.child.exitCode !== 0 && !EMPTY.test(failure.message)) throw failure;
  return read.slice(0, MAX_CHARS);
}

/** Puts text on the clipboard. A process stays, which hands it out until something else is put there. */
export async function writeClipboard(value: string, env: Record<string, string>): Promise<void> {
  const argv = ['xclip', '-selection', 'clipboard', '-in'];
  // The one that stays would hold a pipe open.
  const program = new Program(argv, env, ['pipe', 'ignore', 'ignore']);
  program.child.stdin?.end(value);
  await within(program, program.ended);
  if (program.child.exitCode !== 0) throw program.failure();
  // It leaves before the process that stays has told the X server.
  for (const until = performance.now() + LIMIT_MS; performance.now() < until; await delay(POLL_MS)) {
    if ((await readClipboard(env)) === value) return;
  }
  throw new CodedError('DESKTOP_FAILED', 'The clipboard was taken by another program at once.');
}

/** Whoever owns the clipboard may never answer. */
async function within<T>(program: Program, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      program.kill();
      reject(
        new CodedError('DESKTOP_FAILED', `The clipboard's owner has not answered for ${LIMIT_MS / 1_000} s.`),
      );
    }, LIMIT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
