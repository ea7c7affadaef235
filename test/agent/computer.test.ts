import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { inspectImage } from '../../src/agent/image.ts';
import type { ToolCallContext, ToolResult } from '../../src/agent/tool.ts';
import { findTool } from '../../src/agent/tools.ts';
import { printedBy } from '../desktop/support.ts';
import { startTestSandbox } from '../support/sandbox.ts';
import { ENV } from './harness.ts';

// Larger than what a model is shown, so that every coordinate is scaled.
const { sandbox } = await startTestSandbox({ lasts: 'file' });
await sandbox.desktop.setSize({ width: 1_920, height: 1_080 });

async function call(name: string, input: object): Promise<ToolResult> {
  const prepared = findTool(name)?.prepare(input);
  if (typeof prepared !== 'object') throw new Error(prepared ?? 'no such tool');
  const context = { sandbox, signal: new AbortController().signal, env: ENV } as unknown as ToolCallContext;
  return prepared.run(context);
}
const sizeOf = ({ images: [image] = [] }: ToolResult) => inspectImage(image ?? Buffer.alloc(0));

it('shows the screen at a size that models see, and parts of it larger', async () => {
  const whole = await call('screenshot', {});
  expect(sizeOf(whole)).toEqual({ media_type: 'image/png', width: 1_366, height: 768 });
  expect(whole.content).toBe('The screen, 1366x768; the pointer is at 683,384.\nNo window is open.');
  const part = await call('screenshot', { region: { x: 683, y: 384, width: 200, height: 100 } });
  expect(sizeOf(part)).toMatchObject({ width: 281, height: 140 });
  expect(part.content).toContain('Coordinates stay those of the whole screen, 1366x768.');
});

it('clicks where the image shows it, and shows the screen after it', async () => {
  await sandbox.write('targets.py', readFileSync(resolve(import.meta.dirname, '../desktop/targets.py')));
  const { id } = await sandbox.spawn({ argv: ['python3', 'targets.py'] });
  await printedBy(sandbox, id, (lines) => lines.includes('ready'));
  const result = await call('computer', {
    actions: [
      { action: 'click', x: 1_357, y: 759 },
      { action: 'click', x: 8, y: 8, button: 'right' },
      { action: 'cursor' },
    ],
  });
  expect(result.isError).toBe(false);
  expect(result.content).toBe('The pointer is at 8,8.\nThe screen after it, 1366x768:');
  expect(sizeOf(result)).toMatchObject({ width: 1_366 });
  const lines = await printedBy(sandbox, id, (printed) => printed.length >= 3);
  expect(lines.slice(1).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['29 1', '0 3']);
  await sandbox.signal(id, 'SIGKILL');
});

it("opens a program with the job's variables, types into it and reads the clipboard", async () => {
  const opened = await call('computer', {
    actions: [{ action: 'open', command: 'xterm', seconds: 10 }],
    show: false,
  });
  const [, window] = /^(\d+): ".*" \(XTerm, /m.exec(opened.content) ?? [];
  expect(opened.images).toBeUndefined();
  await call('computer', {
    actions: [
      { action: 'focus', window: Number(window) },
      {
        action: 'type',
        text: 'printf "λ $GREETING" | xclip -selection clipboard -in >/dev/null 2>&1; echo done > marker\n',
      },
      { action: 'wait_still' },
    ],
  });
  const read = await call('computer', { actions: [{ action: 'read_clipboard' }], show: false });
  expect(read.content).toBe('The clipboard has: λ hello');
});

it('says what failed, what was not done, and shows the screen', async () => {
  const result = await call('computer', {
    actions: [
      { action: 'move', x: 1, y: 1 },
      { action: 'click', x: 1_366, y: 5 },
      { action: 'key', keys: 'a' },
    ],
    show: false,
  });
  expect(result.isError).toBe(true);
  expect(result.content).toContain(
    'Action 2 (click) failed: x: expected 0 to 1365, the size of the image; found 1366.',
  );
  expect(result.content).toContain('The 1 after it were not done.');
  expect(result.images).toHaveLength(1);
  const wrong = await call('computer', { actions: [{ action: 'key', x: 1 }], show: false });
  expect(wrong.content).toMatch(/Action 1 \(key\) failed: .*keys/s);
});
