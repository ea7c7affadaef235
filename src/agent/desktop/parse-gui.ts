import type { DesktopAction } from '../../protocol/desktop.ts';
import type { Step } from './perform.ts';

/** One line of a `gui` block. */
export type GuiLine = { line: number; text: string } & (
  | { step: Step }
  /** A window named by its number, or by a part of its title. */
  | { window: string; make: (window: number) => DesktopAction }
  | { screenshot: string; region: [number, number, number, number] | null }
  | { pauseMs: number }
);
type Parsed = GuiLine extends infer Line
  ? Line extends GuiLine
    ? Omit<Line, 'line' | 'text'>
    : never
  : never;

/** What is wrong with a line, told with its number. */
export class GuiSyntaxError extends Error {}

const BUTTONS = ['left', 'middle', 'right', 'back', 'forward'] as const;
const COUNTS: Record<string, number> = { double: 2, triple: 3 };
const DIRECTIONS: Record<string, [number, number]> = {
  up: [0, -1],
  down: [0, 1],
  left: [-1, 0],
  right: [1, 0],
};
const MODIFIERS = ['ctrl', 'shift', 'alt', 'super'] as const;

/**
 * The lines of a `gui` block, less the empty ones and those that start with `#`.
 * @throws GuiSyntaxError naming the first line that is none, and what was expected
 */
export function parseGui(code: string): GuiLine[] {
  const lines: GuiLine[] = [];
  for (const [index, raw] of code.split('\n').entries()) {
    const text = raw.trim();
    if (text === '' || text.startsWith('#')) continue;
    try {
      lines.push({ line: index + 1, text, ...parseLine(text) } as GuiLine);
    } catch (error) {
      if (!(error instanceof GuiSyntaxError)) throw error;
      throw new GuiSyntaxError(`line ${index + 1}, "${text.slice(0, 100)}": ${error.message}`);
    }
  }
  return lines;
}

function parseLine(text: string): Parsed {
  const [name = ''] = text.split(/\s/, 1);
  const key = name.toLowerCase();
  const command = Object.hasOwn(COMMANDS, key) ? COMMANDS[key] : undefined;
  if (!command) throw expected(`a command (${Object.keys(COMMANDS).join(', ')})`, name);
  return command(text.slice(name.length).trim());
}

const COMMANDS: Record<string, (rest: string) => Parsed> = {
  open: (rest) => ({ step: { action: 'open', command: some(rest, 'a program to start') } }),
  click: (rest) => ({ step: click(rest) }),
  move: (rest) => ({ step: { action: 'move', ...exactly(rest, 2, 'x and y', ([x, y]) => ({ x, y })) } }),
  drag: (rest) => ({
    step: {
      action: 'drag',
      ...exactly(rest, 4, 'x and y twice', ([from_x, from_y, x, y]) => ({ from_x, from_y, x, y })),
    },
  }),
  press: (rest) => ({ step: { action: 'press', button: button(rest) } }),
  release: (rest) => ({ step: { action: 'release', button: button(rest) } }),
  scroll: (rest) => ({ step: scroll(rest) }),
  type: (rest) => ({ step: { action: 'type', text: unquote(some(rest, 'the text')) } }),
  key: (rest) => ({ step: { action: 'key', keys: some(rest, 'keys such as ctrl+s') } }),
  'wait-still': (rest) => ({ step: { action: 'wait_still', ...limit(rest) } }),
  'wait-change': (rest) => ({ step: { action: 'wait_change', ...limit(rest) } }),
  wait: (rest) => ({ pauseMs: milliseconds(some(rest, 'a time such as 2s')) }),
  screenshot,
  focus: (rest) => named(rest, (window) => ({ action: 'focus', window })),
  close: (rest) => named(rest, (window) => ({ action: 'close', window })),
  minimize: (rest) => named(rest, (window) => ({ action: 'minimize', window })),
  maximize: (rest) => named(rest, (window) => ({ action: 'maximize', window })),
  restore: (rest) => named(rest, (window) => ({ action: 'restore', window })),
  'move-window': (rest) =>
    sized(rest, 'x and y', (window, x, y) => ({ action: 'move_window', window, x, y })),
  'resize-window': (rest) =>
    sized(rest, 'width and height', (window, width, height) => ({
      action: 'resize_window',
      window,
      width,
      height,
    })),
  windows: (rest) => none(rest, { step: { action: 'windows' } }),
  'read-clipboard': (rest) => none(rest, { step: { action: 'read_clipboard' } }),
  'write-clipboard': (rest) => ({
    step: { action: 'write_clipboard', text: unquote(some(rest, 'the text')) },
  }),
};

/** `click`, `click 10 20`, `click 10 20 right double ctrl+shift`. */
function click(rest: string): DesktopAction {
  const words = rest.split(/\s+/).filter(Boolean);
  const place = /^\d/.test(words[0] ?? '') ? words.splice(0, 2).join(' ') : null;
  const action: DesktopAction & { action: 'click' } = { action: 'click' };
  if (place !== null)
    Object.assign(
      action,
      exactly(place, 2, 'x and y', ([x, y]) => ({ x, y })),
    );
  for (const word of words) {
    const count = COUNTS[word];
    const modifiers = word.split('+');
    if (isOne(BUTTONS, word)) action.button = word;
    else if (count) action.count = count;
    else if (modifiers.every((modifier) => isOne(MODIFIERS, modifier)))
      action.modifiers = modifiers.filter((modifier) => isOne(MODIFIERS, modifier));
    else throw expected(`x and y, then a button, double, triple, or modifiers such as ctrl+shift`, word);
  }
  return action;
}

/** `scroll down 3`, `scroll left 2 at 100 200`. */
function scroll(rest: string): DesktopAction {
  const [, direction = '', notches, place] = /^(\w+)(?:\s+(\d+))?(?:\s+at\s+(.+))?$/.exec(rest) ?? [];
  const [right, down] = DIRECTIONS[direction] ?? [];
  if (right === undefined || down === undefined)
    throw expected('up, down, left or right, how many notches, and maybe "at" x y', rest);
  const count = Number(notches ?? 3);
  return {
    action: 'scroll',
    ...(right && { dx: right * count }),
    ...(down && { dy: down * count }),
    ...(place && exactly(place, 2, 'x and y', ([x, y]) => ({ x, y }))),
  };
}

/** `screenshot name.png`, `screenshot name.png 0 0 300 200`: into the workspace. */
function screenshot(rest: string): Parsed {
  const [, name, place] = /^(\S+\.(?:png|jpe?g))(?:\s+(.+))?$/i.exec(rest) ?? [];
  if (name === undefined) throw expected('a file name that ends in .png or .jpg', rest);
  if (name.startsWith('/') || name.split('/').includes('..'))
    throw expected('a path in the workspace, without ".."', name);
  const region = place
    ? exactly(place, 4, 'x, y, width and height', ([x, y, w, h]): [number, number, number, number] => [
        x,
        y,
        w,
        h,
      ])
    : null;
  return { screenshot: name, region };
}

const named = (rest: string, make: (window: number) => DesktopAction): Parsed => ({
  window: unquote(some(rest, "a part of the window's title, or its number")),
  make,
});

function sized(
  rest: string,
  what: string,
  make: (window: number, first: number, second: number) => DesktopAction,
): Parsed {
  const [, window, numbers] = /^(".*"|\S+)\s+(\S+\s+\S+)$/.exec(rest) ?? [];
  if (!window || !numbers) throw expected(`a part of the window's title, then ${what}`, rest);
  const [first, second] = exactly(numbers, 2, what, ([a, b]): [number, number] => [a, b]);
  return { window: unquote(window), make: (number) => make(number, first, second) };
}

type Numbers = [number, number, number, number];

function exactly<T>(text: string, count: 2 | 4, what: string, use: (numbers: Numbers) => T): T {
  const words = text.split(/[\s,]+/).filter(Boolean);
  if (words.length !== count || !words.every((word) => /^\d{1,5}$/.test(word)))
    throw expected(`${what} as whole numbers`, text);
  const [a = 0, b = 0, c = 0, d = 0] = words.map(Number);
  return use([a, b, c, d]);
}

function button(rest: string): (typeof BUTTONS)[number] {
  if (rest === '') return 'left';
  if (isOne(BUTTONS, rest)) return rest;
  throw expected(`one of ${BUTTONS.join(', ')}`, rest);
}

const limit = (rest: string): { timeout_ms?: number } =>
  rest === '' ? {} : { timeout_ms: milliseconds(rest) };

function milliseconds(text: string): number {
  const [, digits, unit = 's'] = /^(\d{1,6}(?:\.\d+)?)\s*(ms|s)?$/.exec(text) ?? [];
  const time = Number(digits) * (unit === 'ms' ? 1 : 1_000);
  if (time >= 0 && time <= 120_000) return Math.ceil(time);
  throw expected('a time up to 120s, such as 5s or 500ms', text);
}

/** Text in double quotes as JSON has it (`\n` and so on); other text as it stands. */
function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    throw expected('text whose quotes are closed and whose quotes and backslashes inside are escaped', text);
  }
}

function some(rest: string, what: string): string {
  if (rest === '') throw expected(what, 'nothing');
  return rest;
}

function none(rest: string, parsed: Parsed): Parsed {
  if (rest !== '') throw expected('nothing after it', rest);
  return parsed;
}

const isOne = <T extends string>(all: readonly T[], word: string): word is T =>
  all.some((one) => one === word);
const expected = (what: string, found: string): GuiSyntaxError =>
  new GuiSyntaxError(`expected ${what}; found "${found.slice(0, 100)}"`);
