import { inflateSync } from 'node:zlib';
import { expect, vi } from 'vitest';
import type { Screenshot } from '../../src/sandbox/desktop.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';

const RGB = 3;

/** The pixels of a PNG as the desktop makes them: RGB, rows unfiltered. */
export function pixelsOf({ image, frame }: Screenshot): (x: number, y: number) => number {
  const parts: Buffer[] = [];
  for (let at = 8; at < image.length; ) {
    const length = image.readUInt32BE(at);
    if (image.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(image.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const data = inflateSync(Buffer.concat(parts));
  const row = 1 + frame.width * RGB;
  return (x, y) => data.readUIntBE(y * row + 1 + x * RGB, RGB);
}

/** What a program that runs in the background has printed, once `enough` says so. */
export async function printedBy(
  sandbox: Sandbox,
  id: string,
  enough: (lines: string[]) => boolean,
): Promise<string[]> {
  return vi.waitFor(
    async () => {
      let text = '';
      await sandbox.attach(
        { id },
        {
          onOutput: (_stream, bytes) => {
            text += bytes.toString();
          },
        },
      );
      const lines = text.split('\n').slice(0, -1);
      expect(enough(lines), text).toBe(true);
      return lines;
    },
    { timeout: 10_000, interval: 20 },
  );
}
