import { type DesktopScreenshot, ScreenshotInfo } from '../../src/protocol/desktop.ts';
import { FRAME } from '../../src/protocol/frames.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';

/** Takes a picture of the screen. */
export async function takeScreenshot(
  args: DesktopScreenshot,
  call: Call,
  { desktop }: Daemon,
): Promise<void> {
  const { result, bytes } = await desktop.call('screenshot', args);
  void call.json(ScreenshotInfo.parse(result))?.catch(() => {});
  await call.send(FRAME.data, bytes);
}
