import { z } from 'zod';

/** Where the desktop's programs find each other; `display` is what every process in a sandbox has as DISPLAY. */
export const DESKTOP = {
  display: ':0',
  /** Where programs look for that display. */
  socket: '/tmp/.X11-unix/X0',
  /** The desktop's helper program. */
  helper: '/opt/sandboxd/desktop',
} as const;

/** Bounds of a desktop's size, in pixels: below it programs cannot be used, above it models and viewers cannot follow. */
const WIDTH = { least: 320, most: 3_840 } as const;
const HEIGHT = { least: 240, most: 2_160 } as const;

/** A desktop's size in pixels. */
export const DesktopSize = z
  .strictObject({
    width: z.int().min(WIDTH.least).max(WIDTH.most).default(1_280),
    height: z.int().min(HEIGHT.least).max(HEIGHT.most).default(800),
  })
  .meta({ id: 'DesktopSize', description: 'The size of the desktop, in pixels.' });
export type DesktopSize = z.infer<typeof DesktopSize>;
export const DEFAULT_DESKTOP_SIZE: DesktopSize = { width: 1_280, height: 800 };

/** Starts the desktop where it does not run yet; a size chooses what it is to be. Answers DesktopInfo. */
export const DesktopStart = z.strictObject({
  size: DesktopSize.optional(),
  /** Only notes the size, for when something first looks at the desktop. */
  later: z.boolean().optional(),
});
export const DesktopInfo = z.object({
  running: z.boolean(),
  width: z.int(),
  height: z.int(),
  display: z.string(),
  /** How often its display has been started in this sandbox: above 1, it crashed and came back. */
  starts: z.int(),
});
export type DesktopInfo = z.infer<typeof DesktopInfo>;

const MAX_COORDINATE = 32_767;
export const Region = z.strictObject({
  x: z.int().min(0).max(MAX_COORDINATE),
  y: z.int().min(0).max(MAX_COORDINATE),
  width: z.int().min(1).max(MAX_COORDINATE),
  height: z.int().min(1).max(MAX_COORDINATE),
});
export type Region = z.infer<typeof Region>;

/** What an image shows: the region of the screen, and the size at which it was made. */
export const Frame = z.strictObject({
  region: Region,
  width: z.int().min(1).max(MAX_COORDINATE),
  height: z.int().min(1).max(MAX_COORDINATE),
});
export type Frame = z.infer<typeof Frame>;

/**
 * Where on the screen a pixel of an image lies: the middle of what it shows, so that every place of the image, at
 * whichever scale, leads to a place that it shows.
 */
export function toScreen(frame: Frame, point: { x: number; y: number }): { x: number; y: number } {
  const { region, width, height } = frame;
  const along = (at: number, shown: number, real: number) =>
    Math.floor(((Math.floor(at) + 0.5) * real) / shown);
  return {
    x: region.x + along(point.x, width, region.width),
    y: region.y + along(point.y, height, region.height),
  };
}

/** Takes a picture. The answer is ScreenshotInfo, then the image's bytes as data frames. */
export const DesktopScreenshot = z.strictObject({
  /** Left out: the whole screen. What lies outside of the screen is cut off. */
  region: Region.optional(),
  /** Makes the image smaller where it is larger than this; the proportions stay. */
  max_width: z.int().min(16).max(WIDTH.most).optional(),
  max_height: z.int().min(16).max(HEIGHT.most).optional(),
  scale: z.number().min(0.05).max(1).optional(),
  format: z.enum(['png', 'jpeg']).optional(),
});
export type DesktopScreenshot = z.infer<typeof DesktopScreenshot>;
export const ScreenshotInfo = z.object({
  frame: Frame,
  screen: z.object({ width: z.int(), height: z.int() }),
  format: z.enum(['png', 'jpeg']),
  /** Where the pointer is, on the screen. */
  pointer: z.object({ x: z.int(), y: z.int() }),
  bytes: z.int().min(0),
});
export type ScreenshotInfo = z.infer<typeof ScreenshotInfo>;

const Button = z.enum(['left', 'middle', 'right', 'back', 'forward']);
const Modifiers = z.array(z.enum(['ctrl', 'shift', 'alt', 'super'])).max(4);
/** X's number of a window, as `windows` gives it. */
const WindowId = z.int().min(1).max(0xffff_ffff);
/** A coordinate in pixels from the upper left: of the screen, or of the image that the call's `frame` describes. */
const X = z.number().min(-MAX_COORDINATE).max(MAX_COORDINATE);
const Y = X;
const MAX_TEXT = 100_000;
const Text = z
  .string()
  .max(MAX_TEXT)
  .refine((text) => !text.includes('\0'), { error: 'expected text without NUL' });
const WaitLimit = z.int().min(0).max(120_000);

/** One thing that a hand or an eye does. Where `x` and `y` are left out, the pointer stays where it is. */
export const DesktopAction = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('move'), x: X, y: Y }),
  z.strictObject({
    action: z.literal('click'),
    x: X.optional(),
    y: Y.optional(),
    button: Button.optional(),
    /** 2 is a double click, 3 a triple one. */
    count: z.int().min(1).max(10).optional(),
    modifiers: Modifiers.optional(),
  }),
  z.strictObject({ action: z.literal('press'), x: X.optional(), y: Y.optional(), button: Button.optional() }),
  z.strictObject({
    action: z.literal('release'),
    x: X.optional(),
    y: Y.optional(),
    button: Button.optional(),
  }),
  z.strictObject({
    action: z.literal('drag'),
    from_x: X,
    from_y: Y,
    x: X,
    y: Y,
    button: Button.optional(),
    modifiers: Modifiers.optional(),
  }),
  z.strictObject({
    action: z.literal('scroll'),
    x: X.optional(),
    y: Y.optional(),
    /** Notches of the wheel: right and down are positive. */
    dx: z.int().min(-100).max(100).optional(),
    dy: z.int().min(-100).max(100).optional(),
    modifiers: Modifiers.optional(),
  }),
  z.strictObject({ action: z.literal('type'), text: Text }),
  z.strictObject({
    action: z.literal('key'),
    /** A chord such as `ctrl+shift+t`, `Return` or `F5`; several, one after the other, with spaces between. */
    keys: z.string().min(1).max(500),
    repeat: z.int().min(1).max(100).optional(),
  }),
  z.strictObject({ action: z.literal('key_down'), keys: z.string().min(1).max(100) }),
  z.strictObject({ action: z.literal('key_up'), keys: z.string().min(1).max(100) }),
  z.strictObject({ action: z.literal('cursor') }),
  /** Until the picture has changed since the last action that could change it. */
  z.strictObject({ action: z.literal('wait_change'), timeout_ms: WaitLimit.optional() }),
  /** Until nothing larger than a text cursor has changed for `quiet_ms`. */
  z.strictObject({
    action: z.literal('wait_still'),
    timeout_ms: WaitLimit.optional(),
    quiet_ms: z.int().min(10).max(10_000).optional(),
  }),
  z.strictObject({ action: z.literal('windows') }),
  z.strictObject({
    action: z.enum(['focus', 'close', 'minimize', 'maximize', 'restore']),
    window: WindowId,
  }),
  z.strictObject({ action: z.literal('move_window'), window: WindowId, x: X, y: Y }),
  z.strictObject({
    action: z.literal('resize_window'),
    window: WindowId,
    width: z.int().min(1).max(MAX_COORDINATE),
    height: z.int().min(1).max(MAX_COORDINATE),
  }),
  /** Until there is a window that is none of the `known` ones. */
  z.strictObject({
    action: z.literal('wait_window'),
    known: z.array(WindowId).max(10_000),
    timeout_ms: WaitLimit.optional(),
  }),
  z.strictObject({ action: z.literal('read_clipboard') }),
  z.strictObject({ action: z.literal('write_clipboard'), text: Text }),
]);
export type DesktopAction = z.infer<typeof DesktopAction>;

/** Does actions in their order up to the first that fails. Answers DesktopActed. */
export const DesktopAct = z.strictObject({
  actions: z.array(DesktopAction).min(1).max(200),
  /** The image that the coordinates of the pointer's actions are in; left out: the screen. */
  frame: Frame.optional(),
});

export const WindowInfo = z.object({
  window: z.int(),
  title: z.string(),
  /** The program's own name for the kind of window: `xterm`, `Chromium`. */
  class: z.string(),
  pid: z.int().nullable(),
  /** With its frame, on the screen. */
  x: z.int(),
  y: z.int(),
  width: z.int(),
  height: z.int(),
  focused: z.boolean(),
  minimized: z.boolean(),
  maximized: z.boolean(),
});
export type WindowInfo = z.infer<typeof WindowInfo>;

/** What an action gives; most give nothing. */
const ActionResult = z.object({
  /** Of `cursor`. */
  x: z.int().optional(),
  y: z.int().optional(),
  /** Of the waits: false when the time was over first. */
  happened: z.boolean().optional(),
  /** Of `windows` (the topmost first), and of `wait_window`: those that have come. */
  windows: z.array(WindowInfo).optional(),
  /** Of what changes a window: as it is then; null when it has gone. */
  window: WindowInfo.nullable().optional(),
  /** Of `read_clipboard`. */
  text: z.string().optional(),
});
export type ActionResult = z.infer<typeof ActionResult>;
export const DesktopActed = z.object({ results: z.array(ActionResult) });

/** Opens a connection to the desktop's VNC server: a tunnel, see tunnel.ts. */
export const DesktopVnc = z.strictObject({});

export const DESKTOP_CALLS = {
  start: '/v1/desktop/start',
  screenshot: '/v1/desktop/screenshot',
  act: '/v1/desktop/act',
  vnc: '/v1/desktop/vnc',
} as const;
