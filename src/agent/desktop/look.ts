import type { DesktopInfo, Frame, Region, WindowInfo } from '../../protocol/desktop.ts';
import { toScreen } from '../../protocol/desktop.ts';
import type { Screenshot } from '../../sandbox/desktop.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';

/** Models see no more than this, and place what they point at worse in larger images. */
const MOST = { max_width: 1_366, max_height: 1_366 } as const;
/** A picture of photographs is large as a PNG, and no clearer. */
const MAX_PNG_BYTES = 1_500_000;

/** The image that a model is shown of the whole screen: what all of its coordinates are in. */
export function modelFrame({ width, height }: Pick<DesktopInfo, 'width' | 'height'>): Frame {
  const scale = Math.min(1, MOST.max_width / width, MOST.max_height / height);
  return {
    region: { x: 0, y: 0, width, height },
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** A picture for a model: of the whole screen, or of a region that is given in pixels of that picture. */
export async function look(sandbox: Sandbox, signal: AbortSignal, region?: Region): Promise<Screenshot> {
  const frame = modelFrame(await sandbox.desktop.start({ signal }));
  const wanted = { ...MOST, ...(region && { region: regionOnScreen(frame, region) }) };
  const png = await sandbox.desktop.screenshot(wanted, { signal });
  if (png.image.length <= MAX_PNG_BYTES) return png;
  return sandbox.desktop.screenshot({ ...wanted, format: 'jpeg' }, { signal });
}

function regionOnScreen(frame: Frame, { x, y, width, height }: Region): Region {
  const start = toScreen(frame, { x, y });
  const end = toScreen(frame, { x: x + width - 1, y: y + height - 1 });
  return { ...start, width: end.x - start.x + 1, height: end.y - start.y + 1 };
}

/** A place on the screen in pixels of the image that a model is shown. */
export function inImage({ region, width, height }: Frame, { x, y }: { x: number; y: number }): string {
  const across = Math.floor(((x - region.x + 0.5) * width) / region.width);
  const down = Math.floor(((y - region.y + 0.5) * height) / region.height);
  return `${across},${down}`;
}

const MOST_WINDOWS = 15;

/** The windows in words, the topmost first; places in pixels of the image. */
export function describeWindows(windows: WindowInfo[], frame: Frame): string {
  if (windows.length === 0) return 'No window is open.';
  const lines = windows.slice(0, MOST_WINDOWS).map((info) => {
    const scale = frame.width / frame.region.width;
    const size = `${Math.round(info.width * scale)}x${Math.round(info.height * scale)}`;
    const state = [info.focused && 'focused', info.minimized && 'minimized', info.maximized && 'maximized'];
    const notes = state.filter((note) => note !== false);
    const place = `${size} at ${inImage(frame, info)}`;
    return `${info.window}: "${info.title}" (${[info.class, place, ...notes].join(', ')})`;
  });
  const more = windows.length - lines.length;
  return ['Windows, the topmost first:', ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}
