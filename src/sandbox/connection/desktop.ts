import {
  type ActionResult,
  DESKTOP_CALLS,
  DesktopActed,
  DesktopInfo,
  type DesktopScreenshot,
  ScreenshotInfo,
} from '../../protocol/desktop.ts';
import { FRAME } from '../../protocol/frames.ts';
import type { Desktop, Screenshot } from '../desktop.ts';
import type { CallOptions } from '../sandbox.ts';
import { callForOne, parseFrame, unexpected } from './answer.ts';
import { callFrames } from './call.ts';
import type { Link } from './link.ts';
import { openProgram } from './open-program.ts';
import { openTunnel } from './tunnel.ts';

/** Nothing that is a picture of a screen is larger. */
const MAX_IMAGE_BYTES = 64 * 1024 * 1024;

/** The calls of a sandbox's desktop. */
export function connectDesktop(link: Link): Desktop {
  async function start(args: object, { signal }: CallOptions = {}): Promise<DesktopInfo> {
    const session = await link.session(signal);
    return callForOne(session, { path: DESKTOP_CALLS.start, args, signal }, DesktopInfo);
  }
  async function act(
    ...[actions, { frame, signal } = {}]: Parameters<Desktop['act']>
  ): Promise<ActionResult[]> {
    const args = { actions, ...(frame && { frame }) };
    const request = { path: DESKTOP_CALLS.act, args, signal };
    const { results } = await callForOne(await link.session(signal), request, DesktopActed);
    if (results.length !== actions.length) throw unexpected(`${results.length} results`);
    return results;
  }
  return {
    start: ({ size, ...options } = {}) => start(size ? { size } : {}, options),
    setSize: (size, options) => start({ size, later: true }, options),
    screenshot: (request = {}, options = {}) => screenshot(link, request, options),
    act,
    open: (request, options) => openProgram(link, act, request, options),
    vnc: (options) => openTunnel(link, { path: DESKTOP_CALLS.vnc, args: {} }, options),
  };
}

async function screenshot(link: Link, args: DesktopScreenshot, { signal }: CallOptions): Promise<Screenshot> {
  const session = await link.session(signal);
  let info: ScreenshotInfo | null = null;
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const frame of callFrames(session, { path: DESKTOP_CALLS.screenshot, args, signal })) {
    if (!info) {
      info = parseFrame(ScreenshotInfo, frame);
      continue;
    }
    if (frame.kind !== FRAME.data) throw unexpected('a message among the bytes');
    bytes += frame.payload.length;
    if (bytes > MAX_IMAGE_BYTES) throw unexpected('an image without an end');
    pieces.push(frame.payload);
  }
  if (!info || info.bytes !== bytes) throw unexpected(`an image of ${bytes} bytes`);
  return { ...info, image: Buffer.concat(pieces, bytes) };
}
