import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type DesktopScreenshot, type DesktopSize, toScreen } from '../../src/protocol/desktop.ts';
import type { Screenshot } from '../../src/sandbox/desktop.ts';
import { startTestSandbox } from '../support/sandbox.ts';
import { pixelsOf, printedBy } from './support.ts';

const TARGETS = readFileSync(resolve(import.meta.dirname, 'targets.py'));
const COUNT = 30;

const SIZES: DesktopSize[] = [
  { width: 640, height: 480 },
  { width: 1_280, height: 800 },
  { width: 1_366, height: 768 },
  { width: 1_920, height: 1_080 },
];
const VIEWS: DesktopScreenshot[] = [
  {},
  { scale: 0.75 },
  { scale: 0.5 },
  { scale: 0.3 },
  { max_width: 1_000, max_height: 500 },
  { region: { x: 0, y: 0, width: 333, height: 251 } },
  { region: { x: 301, y: 207, width: 5_000, height: 5_000 }, max_width: 217 },
];

/** The targets that a picture shows as a person would find them: the middle of the pixels in their colour. */
function targetsIn(shot: Screenshot): { number: number; x: number; y: number }[] {
  const pixel = pixelsOf(shot);
  const sums = new Map<number, { x: number; y: number; count: number }>();
  for (let y = 0; y < shot.frame.height; y += 1) {
    for (let x = 0; x < shot.frame.width; x += 1) {
      const color = pixel(x, y);
      if (color === 0 || color > COUNT << 2 || color % 4 !== 0) continue;
      const sum = sums.get(color) ?? { x: 0, y: 0, count: 0 };
      sums.set(color, { x: sum.x + x, y: sum.y + y, count: sum.count + 1 });
    }
  }
  return [...sums].map(([color, { x, y, count }]) => ({
    number: (color >> 2) - 1,
    x: Math.round(x / count),
    y: Math.round(y / count),
  }));
}

it.each(SIZES)('clicks on each target of a screen of $width x $height, at every scale', async (size) => {
  const { sandbox } = await startTestSandbox();
  const { desktop } = sandbox;
  await desktop.start({ size });
  await sandbox.write('targets.py', TARGETS);
  const program = await sandbox.spawn({ argv: ['python3', 'targets.py'] });
  await printedBy(sandbox, program.id, (lines) => lines.includes('ready'));
  await desktop.act([{ action: 'wait_still', quiet_ms: 50 }]);

  let presses = 0;
  for (const view of VIEWS) {
    // The pointer's picture covers what it is at.
    await desktop.act([{ action: 'move', x: size.width / 2 + 40, y: 40 }]);
    const shot = await desktop.screenshot(view);
    const targets = targetsIn(shot);
    if (!view.region) expect(targets).toHaveLength(COUNT);
    expect(targets.length).toBeGreaterThan(0);
    const clicks = targets.map(({ x, y }) => ({ action: 'click' as const, x, y }));
    await desktop.act(clicks, { frame: shot.frame });
    presses += clicks.length;
    const lines = await printedBy(sandbox, program.id, (printed) => presses < printed.length);
    const hits = lines.slice(-clicks.length).map((line) => Number(line.split(' ')[0]));
    expect(hits, JSON.stringify(view)).toEqual(targets.map(({ number }) => number));
  }
});

it('leads every pixel of an image into what it shows, in order, to the very pixel at full size', () => {
  const side = fc.integer({ min: 1, max: 4_000 });
  const start = fc.integer({ min: 0, max: 4_000 });
  fc.assert(
    fc.property(
      start,
      start,
      side,
      side,
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (x, y, width, height, scale) => {
        const frame = {
          region: { x, y, width, height },
          width: Math.max(1, Math.round(width * scale)),
          height: Math.max(1, Math.round(height * scale)),
        };
        let before = -1;
        for (let at = 0; at < frame.width; at += 1) {
          const found = toScreen(frame, { x: at, y: 0 });
          expect(found.x).toBeGreaterThan(before);
          expect(found.x).toBeLessThan(x + width);
          if (frame.width === width) expect(found.x).toBe(x + at);
          before = found.x;
        }
        expect(toScreen(frame, { x: 0, y: frame.height - 1 }).y).toBeLessThan(y + height);
      },
    ),
    { numRuns: 60 },
  );
});

it('refuses a place that the screen or the image does not have', async () => {
  const { sandbox } = await startTestSandbox();
  const { desktop } = sandbox;
  const { frame } = await desktop.screenshot({ scale: 0.5 });
  await expect(desktop.act([{ action: 'click', x: 1_280, y: 0 }])).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: 'x: expected 0 to 1279 on this screen; found 1280.',
  });
  await expect(desktop.act([{ action: 'move', x: 640, y: 0 }], { frame })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  await expect(
    desktop.screenshot({ region: { x: 2_000, y: 0, width: 10, height: 10 } }),
  ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
