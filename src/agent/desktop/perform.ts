import type { ActionResult, DesktopAction, Frame } from '../../protocol/desktop.ts';
import { CodedError } from '../../protocol/errors.ts';
import type { Opened } from '../../sandbox/desktop.ts';
import type { AgentContext } from '../agent.ts';
import { describeWindows, inImage } from './look.ts';

/** What the desktop does, or a program to start. */
export type Step = DesktopAction | { action: 'open'; command: string; timeout_ms?: number };

type Ground = Pick<AgentContext, 'sandbox' | 'signal' | 'env'> & { cwd?: string | undefined };

/**
 * Takes one step.
 * @param frame the image that its coordinates are in
 * @returns what there is to say of it, or nothing
 * @throws CodedError as the desktop does; PROGRAM_FAILED of a program that ends without a window
 */
export async function perform(step: Step, frame: Frame, ground: Ground): Promise<string> {
  const { sandbox, signal } = ground;
  if (step.action === 'open') {
    const { command, timeout_ms: timeoutMs } = step;
    const { cwd, env } = ground;
    const request = { command, env, ...(cwd && { cwd }), ...(timeoutMs !== undefined && { timeoutMs }) };
    return describeOpened(await sandbox.desktop.open(request, { signal }), frame);
  }
  const [result] = await sandbox.desktop.act([step], { frame, signal });
  return result ? describe(step, result, frame) : '';
}

function describe(step: DesktopAction, result: ActionResult, frame: Frame): string {
  if (result.windows) return describeWindows(result.windows, frame);
  if (result.text !== undefined) return `The clipboard has: ${result.text || '[nothing]'}`;
  if (result.x !== undefined && result.y !== undefined)
    return `The pointer is at ${inImage(frame, { x: result.x, y: result.y })}.`;
  if (result.happened === false)
    return step.action === 'wait_still'
      ? 'The screen was still changing when the time was over.'
      : 'Nothing had changed when the time was over.';
  return '';
}

function describeOpened({ windows, ended, process }: Opened, frame: Frame): string {
  if (ended) {
    const how = ended.exitCode === null ? 'was killed' : `ended with exit code ${ended.exitCode}`;
    throw new CodedError(
      'PROGRAM_FAILED',
      `The program ${how} and showed no window. ${ended.output.trim()}`.trim(),
    );
  }
  if (windows.length > 0) return describeWindows(windows, frame);
  return `The program runs (process ${process.pid}) but has shown no window yet.`;
}
