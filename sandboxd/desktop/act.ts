import type { z } from 'zod';
import {
  type ActionResult,
  type DesktopAct,
  DesktopActed,
  type DesktopAction,
  type Frame,
  toScreen,
} from '../../src/protocol/desktop.ts';
import { CodedError } from '../../src/protocol/errors.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { readClipboard, writeClipboard } from './clipboard.ts';
import type { Desktop } from './desktop.ts';

const WAIT_MS = 10_000;
const QUIET_MS = 200;
/** What the helper may take beyond the time that it is told to wait. */
const SPARE_MS = 20_000;

/** Does what a hand and an eye do, one thing after the other; the first that fails ends it. */
export async function act(
  { actions, frame }: z.infer<typeof DesktopAct>,
  call: Call,
  daemon: Daemon,
): Promise<void> {
  const results: ActionResult[] = [];
  for (const [at, action] of actions.entries()) {
    call.signal.throwIfAborted();
    try {
      results.push(await perform(placed(action, frame), daemon));
    } catch (error) {
      if (!(error instanceof CodedError) || actions.length === 1) throw error;
      const message = `Action ${at + 1} of ${actions.length} (${action.action}): ${error.message}`;
      throw new CodedError(error.code, message, { hint: error.hint, cause: error });
    }
  }
  await call.json(DesktopActed.parse({ results }));
}

async function perform(action: DesktopAction, daemon: Daemon): Promise<ActionResult> {
  const { desktop } = daemon;
  const { action: name, ...args } = action;
  switch (action.action) {
    case 'wait_change':
    case 'wait_still':
    case 'wait_window': {
      const timeout_ms = action.timeout_ms ?? WAIT_MS;
      return ask(desktop, name, { quiet_ms: QUIET_MS, ...args, timeout_ms }, timeout_ms + SPARE_MS);
    }
    case 'read_clipboard':
      await desktop.start();
      return { text: await readClipboard(daemon.environment.of('desktop')) };
    case 'write_clipboard':
      await desktop.start();
      await writeClipboard(action.text, daemon.environment.of('desktop'));
      return {};
    default:
      return ask(desktop, name, args);
  }
}

async function ask(desktop: Desktop, name: string, args: object, limitMs?: number): Promise<ActionResult> {
  const { result } = await desktop.call(name, args, limitMs);
  return result as ActionResult;
}

/** The action with its coordinates on the screen. Windows are told in those of the screen always. */
function placed(action: DesktopAction, frame: Frame | undefined): DesktopAction {
  if (!frame || action.action === 'move_window') return action;
  const moved: Record<string, unknown> = { ...action };
  for (const [x, y] of [
    ['x', 'y'],
    ['from_x', 'from_y'],
  ] as const) {
    const [atX, atY] = [moved[x], moved[y]];
    if (typeof atX !== 'number' || typeof atY !== 'number') continue;
    checkInside(x, atX, frame.width);
    checkInside(y, atY, frame.height);
    const place = toScreen(frame, { x: atX, y: atY });
    moved[x] = place.x;
    moved[y] = place.y;
  }
  return moved as DesktopAction;
}

function checkInside(name: string, value: number, size: number): void {
  if (value >= 0 && value < size) return;
  const message = `${name}: expected 0 to ${size - 1}, the size of the image; found ${value}.`;
  throw new CodedError('INVALID_ARGUMENT', message);
}
