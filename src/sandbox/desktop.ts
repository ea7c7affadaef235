import type { Duplex } from 'node:stream';
import type { DesktopInfo, DesktopScreenshot, DesktopSize, ScreenshotInfo } from '../protocol/desktop.ts';
import type { CallOptions } from './call-options.ts';

export interface Screenshot extends ScreenshotInfo {
  image: Buffer;
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
  /** A connection of its own to the desktop's VNC server (RFB, no password): never to be handed out unguarded. */
  vnc(options?: CallOptions): Promise<Duplex>;
}
