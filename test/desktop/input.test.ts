import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { WindowInfo } from '../../src/protocol/desktop.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { run, startTestSandbox } from '../support/sandbox.ts';
import { printedBy } from './support.ts';

describe('the desktop', () => {
  let sandbox: Sandbox;
  const act = (...actions: Parameters<Sandbox['desktop']['act']>[0]) => sandbox.desktop.act(actions);
  beforeAll(async () => {
    ({ sandbox } = await startTestSandbox({ lasts: 'file' }));
    await sandbox.write('targets.py', readFileSync(resolve(import.meta.dirname, 'targets.py')));
  });

  async function openTerminal(command = ''): Promise<WindowInfo> {
    const { windows } = await sandbox.desktop.open({ command: `xterm -geometry 80x24+50+50 ${command}` });
    const [window] = windows;
    if (!window) throw new Error('xterm has shown no window');
    return window;
  }

  it.each([
    ['what the layout has', `Hello, "World"! 0123456789 ~\`|\\{}[]<>@#$%^&*()_+-=;:'/?.`],
    ['characters of many scripts', 'àéîõü ß €uro Жук Ωμέγα 漢字 カナ 한글 😀 λ → ½'],
    [
      'more characters than there are free keys',
      Array.from({ length: 150 }, (_, at) => String.fromCodePoint(0x4e00 + at)).join(''),
    ],
    ['a long text', 'The quick brown fox. '.repeat(150)],
  ])('types %s', async (_name, text) => {
    const { window } = await openTerminal(`-e 'stty -icanon; cat > typed'`);
    await vi.waitFor(() => sandbox.stat('typed'), 5_000);
    await act({ action: 'focus', window }, { action: 'type', text: `${text}\n` });
    await vi.waitFor(async () => {
      expect((await run(sandbox, 'cat typed')).stdout).toBe(`${text}\n`);
    }, 15_000);
    await act({ action: 'close', window });
    await run(sandbox, 'rm typed');
  });

  it('presses chords', async () => {
    const { window } = await openTerminal(`-e 'cat > chords'`);
    await vi.waitFor(() => sandbox.stat('chords'), 5_000);
    await act(
      { action: 'focus', window },
      { action: 'type', text: 'wrong' },
      { action: 'key', keys: 'ctrl+u' },
      { action: 'type', text: 'rigt' },
      { action: 'key', keys: 'BackSpace h t shift+1' },
      { action: 'key', keys: 'ctrl+D', repeat: 2 },
    );
    await vi.waitFor(async () => expect((await run(sandbox, 'cat chords')).stdout).toBe('right!'), 5_000);
    await expect(act({ action: 'key', keys: 'ctrl+nonsense' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining("'nonsense'"),
    });
  });

  it('clicks with every button, drags and scrolls', async () => {
    const { id } = await sandbox.spawn({ argv: ['python3', 'targets.py'] });
    await printedBy(sandbox, id, (lines) => lines.includes('ready'));
    await act(
      { action: 'click', x: 5, y: 6 },
      { action: 'click', button: 'right' },
      { action: 'click', button: 'middle' },
      { action: 'click', count: 3, x: 100, y: 200 },
      { action: 'scroll', dx: 1, dy: -2 },
      { action: 'drag', from_x: 300, from_y: 300, x: 400, y: 350 },
      { action: 'click', modifiers: ['ctrl', 'shift'] },
    );
    const lines = await printedBy(sandbox, id, (printed) => printed.length >= 12);
    expect(lines.slice(1)).toEqual([
      ...['0 1 5 6', '0 3 5 6', '0 2 5 6'],
      ...['-1 1 100 200', '-1 1 100 200', '-1 1 100 200'],
      ...['-1 4 100 200', '-1 4 100 200', '-1 7 100 200'],
      ...['-1 1 300 300', '-1 1 400 350'],
    ]);
    expect(await act({ action: 'cursor' })).toEqual([{ x: 400, y: 350 }]);
    await run(sandbox, 'pkill -f targets.py');
  });

  it('lists, moves, resizes, maximizes, minimizes and closes windows', async () => {
    const { window } = await openTerminal();
    expect(await act({ action: 'move_window', window, x: 200, y: 150 })).toMatchObject([
      { window: { x: 200, y: 150, focused: true } },
    ]);
    const [resized] = await act({ action: 'resize_window', window, width: 700, height: 500 });
    expect(resized?.window?.width).toBeGreaterThan(680);
    expect(resized?.window?.height).toBeGreaterThan(480);
    expect(await act({ action: 'maximize', window })).toMatchObject([
      { window: { x: 0, y: 0, width: 1_280, height: 800, maximized: true } },
    ]);
    expect(await act({ action: 'restore', window })).toMatchObject([
      { window: { x: 200, maximized: false } },
    ]);
    expect(await act({ action: 'minimize', window })).toMatchObject([
      { window: { minimized: true, focused: false } },
    ]);
    expect(await act({ action: 'focus', window })).toMatchObject([
      { window: { minimized: false, focused: true } },
    ]);
    const [listed] = await act({ action: 'windows' });
    expect(listed?.windows?.[0]).toMatchObject({ window, class: 'XTerm' });
    expect(await act({ action: 'close', window })).toEqual([{ window: null }]);
    await expect(act({ action: 'focus', window })).rejects.toMatchObject({
      code: 'WINDOW_NOT_FOUND',
      message: expect.stringMatching(
        new RegExp(`^Expected one of the windows there are: .*; found ${window}\\.$`),
      ),
    });
  });

  it('keeps text on the clipboard, for programs as well', async () => {
    const text = 'clipboard λ 😀\nsecond line';
    await act({ action: 'write_clipboard', text });
    expect(await act({ action: 'read_clipboard' })).toEqual([{ text }]);
    expect((await run(sandbox, 'xclip -selection clipboard -out')).stdout).toBe(text);
    await run(sandbox, 'printf "from a program" | xclip -selection clipboard -in >/dev/null 2>&1');
    expect(await act({ action: 'read_clipboard' })).toEqual([{ text: 'from a program' }]);
  });

  it('waits until the picture has changed, and until it is still', async () => {
    expect(await act({ action: 'wait_still' }, { action: 'wait_change', timeout_ms: 100 })).toEqual([
      { happened: true },
      { happened: false },
    ]);
    const { window } = await openTerminal(`-e 'read; seq 20; read'`);
    const [, changed, still] = await act(
      { action: 'key', keys: 'Return' },
      { action: 'wait_change' },
      { action: 'wait_still', quiet_ms: 100 },
    );
    expect([changed, still]).toEqual([{ happened: true }, { happened: true }]);
    await act({ action: 'close', window });
    const busy = await openTerminal(`-e 'while :; do date +%N; sleep 0.02; done'`);
    expect(await act({ action: 'wait_still', quiet_ms: 1_500, timeout_ms: 2_000 })).toEqual([
      { happened: false },
    ]);
    await act({ action: 'close', window: busy.window });
  });

  it('says how a program ended that has shown no window', async () => {
    const opened = await sandbox.desktop.open({ command: 'echo wrong >&2; exit 3' });
    expect(opened).toMatchObject({ windows: [], ended: { exitCode: 3, output: 'wrong\n' } });
  });

  it('names the action that failed', async () => {
    await expect(act({ action: 'cursor' }, { action: 'focus', window: 1 })).rejects.toMatchObject({
      message: expect.stringMatching(/^Action 2 of 2 \(focus\): Expected one of/),
    });
  });
});
