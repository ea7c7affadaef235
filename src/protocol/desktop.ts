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

/** Opens a connection to the desktop's VNC server, as a tunnel: data frames both ways. */
export const DesktopVnc = z.strictObject({});
export const TunnelOpened = z.object({ event: z.literal('opened') });

export const DESKTOP_CALLS = {
  start: '/v1/desktop/start',
  screenshot: '/v1/desktop/screenshot',
  vnc: '/v1/desktop/vnc',
} as const;
