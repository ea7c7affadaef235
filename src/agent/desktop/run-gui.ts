import { setTimeout as delay } from 'node:timers/promises';
import type { Frame, WindowInfo } from '../../protocol/desktop.ts';
import { CodedError } from '../../protocol/errors.ts';
import type { ProcessEnded } from '../../protocol/sandboxd.ts';
import type { OutputOptions } from '../../sandbox/sandbox.ts';
import type { AgentContext } from '../agent.ts';
import { type GuiLine, GuiSyntaxError, parseGui } from './parse-gui.ts';
import { perform } from './perform.ts';

/** A wait whose time is over, or a window that is not there: the block ends as a program does that failed. */
class LineFailed extends Error {}

/**
 * Runs the lines of a `gui` block on the desktop until one fails; what there is to say goes to its output.
 * @returns how it ended, as of a program: exit code 2 for a line that is none, 1 for one that failed
 */
export async function runGui(
  code: string,
  { sandbox, env }: Pick<AgentContext, 'sandbox' | 'env'>,
  { cwd, timeoutMs, ...options }: OutputOptions & { cwd: string | null; timeoutMs: number | null },
): Promise<ProcessEnded> {
  const began = performance.now();
  const late = timeoutMs === null ? null : AbortSignal.timeout(timeoutMs);
  const signals = [options.signal, late].filter((signal) => signal != null);
  const signal = AbortSignal.any(signals);
  const say = (stream: 'stdout' | 'stderr', text: string) =>
    options.onOutput?.(stream, Buffer.from(`${text}\n`));
  const ended = (exitCode: number | null): ProcessEnded => ({
    event: 'ended',
    exit_code: exitCode,
    signal: null,
    timed_out: late?.aborted ?? false,
    oom_killed: false,
    duration_ms: performance.now() - began,
  });
  let lines: GuiLine[];
  try {
    lines = parseGui(code);
  } catch (error) {
    if (!(error instanceof GuiSyntaxError)) throw error;
    await say('stderr', error.message);
    return ended(2);
  }
  for (const line of lines) {
    try {
      const { width, height } = await sandbox.desktop.start({ signal });
      const frame = { region: { x: 0, y: 0, width, height }, width, height };
      const words = await runLine(line, frame, { sandbox, env, signal, cwd: cwd ?? undefined });
      await say('stdout', words === '' ? line.text : `${line.text}\n${words}`);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (late?.aborted) return ended(null);
      if (!(error instanceof CodedError || error instanceof LineFailed)) throw error;
      if (error instanceof CodedError && ENDS_THE_RUN.has(error.code)) throw error;
      await say('stderr', `line ${line.line}, "${line.text.slice(0, 100)}": ${error.message}`);
      return ended(1);
    }
  }
  return ended(0);
}

const ENDS_THE_RUN = new Set<string>(['SANDBOX_LOST', 'CONNECTION_LOST']);

type Ground = Parameters<typeof perform>[2];

async function runLine(line: GuiLine, frame: Frame, ground: Ground): Promise<string> {
  const { sandbox, signal } = ground;
  if ('pauseMs' in line) {
    await delay(line.pauseMs, undefined, { signal });
    return '';
  }
  if ('screenshot' in line) {
    const [x = 0, y = 0, width = frame.width, height = frame.height] = line.region ?? [];
    const format = /\.png$/i.test(line.screenshot) ? 'png' : 'jpeg';
    const shot = await sandbox.desktop.screenshot({ region: { x, y, width, height }, format }, { signal });
    await sandbox.write(line.screenshot, shot.image, { signal });
    return `${shot.frame.width}x${shot.frame.height}, ${shot.image.length} bytes`;
  }
  if ('window' in line) {
    const window = await findWindow(line.window, ground);
    return perform(line.make(window.window), frame, ground);
  }
  const words = await perform(line.step, frame, ground);
  // A runbook is written to be followed: a screen that does not do as it says is a failure.
  const { action } = line.step;
  if (words !== '' && (action === 'wait_still' || action === 'wait_change')) throw new LineFailed(words);
  return words;
}

async function findWindow(wanted: string, { sandbox, signal }: Ground): Promise<WindowInfo> {
  const [listed] = await sandbox.desktop.act([{ action: 'windows' }], { signal });
  const windows = listed?.windows ?? [];
  const lower = wanted.toLowerCase();
  const found = windows.find(
    ({ window, title, class: kind }) =>
      `${window}` === wanted || title.toLowerCase().includes(lower) || kind.toLowerCase() === lower,
  );
  if (found) return found;
  const titles = windows.map(({ title }) => `"${title.slice(0, 60)}"`).join(', ') || 'none';
  throw new LineFailed(`expected a window whose title has "${wanted}"; found ${titles}`);
}
