import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { DesktopAction } from '../../protocol/desktop.ts';
import { CodedError, type ErrorCode } from '../../protocol/errors.ts';
import { look, modelFrame } from '../desktop/look.ts';
import { perform, type Step } from '../desktop/perform.ts';
import { defineTool, type ToolCallContext, type ToolResult } from '../tool.ts';

const MAX_ACTIONS = 20;
const STILL_MS = 3_000;
const DEFAULT_WAIT_S = 10;
const MAX_WAIT_S = 120;

const NAMES = [
  ...['click', 'move', 'drag', 'press', 'release', 'scroll', 'type', 'key', 'key_down', 'key_up'],
  ...['open', 'windows', 'focus', 'close', 'minimize', 'maximize', 'restore', 'move_window', 'resize_window'],
  ...['cursor', 'read_clipboard', 'write_clipboard', 'wait', 'wait_change', 'wait_still'],
] as const;

/** Flat, since some providers and many models do badly with a choice of shapes; each is checked as its action wants it. */
const Action = z.strictObject({
  action: z.enum(NAMES as unknown as [string, ...string[]]),
  x: z.number().optional(),
  y: z.number().optional(),
  from_x: z.number().optional().describe('drag: where it starts; x, y is where it ends'),
  from_y: z.number().optional(),
  button: z.enum(['left', 'middle', 'right', 'back', 'forward']).optional(),
  count: z.int().min(1).max(10).optional().describe('click: 2 is a double click, 3 a triple one'),
  modifiers: z.array(z.enum(['ctrl', 'shift', 'alt', 'super'])).optional(),
  dx: z.int().optional().describe('scroll: notches to the right (negative: left)'),
  dy: z.int().optional().describe('scroll: notches down (negative: up)'),
  text: z.string().optional().describe('type, write_clipboard'),
  keys: z.string().optional().describe('key: such as ctrl+s, Return, Tab, F5; several with spaces between'),
  repeat: z.int().min(1).max(100).optional().describe('key'),
  window: z.int().optional().describe('a window by its number in the list of windows'),
  width: z.int().optional(),
  height: z.int().optional(),
  command: z.string().optional().describe('open: a line for the shell that starts a program with a window'),
  seconds: z.number().min(0).max(MAX_WAIT_S).optional().describe('the waits and open: how long at most'),
});

/** After these a model can mend what it asked for; it sees the screen to do so. */
const MENDABLE = new Set<ErrorCode>(['INVALID_ARGUMENT', 'WINDOW_NOT_FOUND', 'PROGRAM_FAILED']);

export const computer = defineTool({
  name: 'computer',
  description: `Uses the sandbox's desktop with mouse and keyboard, then shows you the screen. Coordinates are pixels of the image of the whole screen that screenshot and this tool show: point at the middle of what you mean. Look first; act only on what you have seen.
- Up to ${MAX_ACTIONS} actions run in order until one fails, which the result says; give several at once where you need not look in between (click a field, type, press Return).
- open starts a program (such as "chromium https://example.com", "xterm") and waits for its window. It goes on running.
- click, press, release and scroll act where the pointer is when x and y are left out. type enters text as it is, in any script; \\n is Return. key presses chords one after the other: "ctrl+a Delete".
- focus, close, minimize, maximize, restore, move_window and resize_window take the number of a window; windows lists them.
- wait_change waits until the screen has changed since the last action, wait_still until it stays the same, wait for so many seconds; ${DEFAULT_WAIT_S} s at most where seconds is left out, up to ${MAX_WAIT_S}.
- Before the image is made the tool waits up to ${STILL_MS / 1_000} s until the screen is still; after something slow, end with wait_change or wait_still. show: false leaves the image out.`,
  input: z.strictObject({
    actions: z.array(Action).min(1).max(MAX_ACTIONS),
    show: z.boolean().optional(),
  }),
  summary: ({ actions }) => actions.map(summarize).join(', '),
  async run({ actions, show = true }, call) {
    const { sandbox, signal } = call;
    const frame = modelFrame(await sandbox.desktop.start({ signal }));
    const said: string[] = [];
    let failed = false;
    for (const [at, action] of actions.entries()) {
      try {
        const words = await act(action, frame, call);
        if (words) said.push(words);
      } catch (error) {
        if (!(error instanceof CodedError) || !MENDABLE.has(error.code)) throw error;
        const left = actions.length - at - 1;
        said.push(`Action ${at + 1} (${action.action}) failed: ${error.message}`);
        if (left > 0) said.push(`The ${left} after it were not done.`);
        failed = true;
        break;
      }
    }
    return { ...(await result(said, show || failed, call)), isError: failed };
  },
});

type Asked = z.infer<typeof Action>;

async function act(
  asked: Asked,
  frame: ReturnType<typeof modelFrame>,
  call: ToolCallContext,
): Promise<string> {
  const { action, seconds, ...rest } = asked;
  if (action === 'wait') {
    await delay((seconds ?? 1) * 1_000, undefined, { signal: call.signal });
    return '';
  }
  const timeout = seconds === undefined ? {} : { timeout_ms: Math.ceil(seconds * 1_000) };
  if (action === 'open') {
    if (!rest.command) throw new CodedError('INVALID_ARGUMENT', 'command: expected the program to start.');
    return perform({ action, command: rest.command, ...timeout }, frame, call);
  }
  const waits = action === 'wait_change' || action === 'wait_still';
  const parsed = DesktopAction.safeParse({ action, ...rest, ...(waits ? timeout : {}) });
  if (!parsed.success) throw new CodedError('INVALID_ARGUMENT', z.prettifyError(parsed.error));
  const step: Step = parsed.data;
  return perform(step, frame, call);
}

async function result(
  said: string[],
  show: boolean,
  { sandbox, signal }: ToolCallContext,
): Promise<ToolResult> {
  if (!show) return { content: said.join('\n') || 'Done.' };
  const [waited] = await sandbox.desktop.act([{ action: 'wait_still', timeout_ms: STILL_MS }], { signal });
  const shot = await look(sandbox, signal);
  const { width, height } = modelFrame(shot.screen);
  said.push(
    `The screen after it, ${width}x${height}${waited?.happened === false ? ', still changing' : ''}:`,
  );
  return { content: said.join('\n'), images: [shot.image] };
}

function summarize({ action, x, y, text, keys, command, window }: Asked): string {
  const place = x !== undefined && y !== undefined ? `${x},${y}` : undefined;
  const what =
    command ?? keys ?? (text === undefined ? undefined : JSON.stringify(text.slice(0, 60))) ?? place;
  return [action, what ?? window].filter((word) => word !== undefined).join(' ');
}
