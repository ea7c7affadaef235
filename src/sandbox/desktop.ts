import type { Duplex } from 'node:stream';
import type {
  ActionResult,
  DesktopAction,
  DesktopInfo,
  DesktopScreenshot,
  DesktopSize,
  Frame,
  ScreenshotInfo,
  WindowInfo,
} from '../protocol/desktop.ts';
import type { CallOptions } from './call-options.ts';

export interface Screenshot extends ScreenshotInfo {
  image: Buffer;
}

export interface OpenRequest {
  /** A line for the shell. */
  command: string;
  cwd?: string;
  env?: Record<string, string>;
  /** How long to wait for a window; default 10 s. */
  timeoutMs?: number;
}

export interface Opened {
  /** The background process; it goes on after the call. */
  process: { id: string; pid: number };
  /** The windows that have come; empty when none came in time, or the program had ended before. */
  windows: WindowInfo[];
  /** How it ended, when it did so without a window: its exit code and what it said last. */
  ended: { exitCode: number | null; output: string } | null;
}

/**
 * The desktop of a sandbox. Everything but {@link setSize} starts it where it does not run yet; what has crashed
 * comes back with the next call. Failures are CodedErrors: DESKTOP_FAILED and those of every call.
 */
export interface Desktop {
  /** Starts it. Of one that runs: no error; it keeps its size. */
  start(options?: CallOptions & { size?: DesktopSize }): Promise<DesktopInfo>;
  /** Says which size it is to have when something first looks at it; starts nothing. */
  setSize(size: DesktopSize, options?: CallOptions): Promise<DesktopInfo>;
  screenshot(request?: DesktopScreenshot, options?: CallOptions): Promise<Screenshot>;
  /**
   * Does actions one after the other, up to the first that fails.
   * @param options.frame what a screenshot said of itself: then the pointer's coordinates are in pixels of that image
   * @returns one result for each action
   * @throws CodedError INVALID_ARGUMENT (a place outside of the screen, an unknown key), WINDOW_NOT_FOUND
   */
  act(actions: DesktopAction[], options?: CallOptions & { frame?: Frame }): Promise<ActionResult[]>;
  /** Starts a program and waits until it shows a window, or ends with a failure. */
  open(request: OpenRequest, options?: CallOptions): Promise<Opened>;
  /** A connection of its own to the desktop's VNC server (RFB, no password): never to be handed out unguarded. */
  vnc(options?: CallOptions): Promise<Duplex>;
}
