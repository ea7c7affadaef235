import type { Sandbox } from '../src/sandbox/sandbox.ts';
import { withSandbox } from './engine.ts';
import { type Row, row, timed } from './row.ts';

const COLD_STARTS = 5;
const TIMES = 100;
/** A page that changes its colour with each click. */
const CLICKED = `import itertools
from Xlib import X, display
screen = display.Display()
window = screen.screen().root.create_window(0, 0, 400, 400, 0, X.CopyFromParent, override_redirect=1,
    background_pixel=0, event_mask=X.ButtonPressMask | X.ExposureMask)
window.map()
for color in itertools.count(0x334455, 0x010203):
    event = screen.next_event()
    if event.type == X.ButtonPress:
        window.change_attributes(background_pixel=color & 0xFFFFFF)
        window.clear_area()
`;

/** The desktop at 1280x800: its first picture, later ones, from a click to the picture that it changed, and its memory. */
export async function desktop(): Promise<Row[]> {
  const cold: number[] = [];
  const without: number[] = [];
  const idle: number[] = [];
  for (let i = 0; i < COLD_STARTS; i++) {
    await withSandbox(async ({ sandbox }) => {
      without.push(await memory(sandbox));
      cold.push(await timed(() => sandbox.desktop.screenshot()));
      await sandbox.desktop.act([{ action: 'wait_still' }]);
      idle.push(await memory(sandbox));
    });
  }
  return withSandbox(async ({ sandbox }) => {
    const shots: number[] = [];
    const clicks: number[] = [];
    const typed: number[] = [];
    await sandbox.write('clicked.py', CLICKED);
    await sandbox.desktop.open({ command: 'chromium https://localhost:1/', timeoutMs: 30_000 });
    await sandbox.desktop.act([{ action: 'wait_still', quiet_ms: 1_000, timeout_ms: 20_000 }]);
    for (let i = 0; i < TIMES; i++) shots.push(await timed(() => sandbox.desktop.screenshot()));
    await sandbox.spawn({ argv: ['python3', 'clicked.py'] });
    await sandbox.desktop.act([{ action: 'wait_change' }, { action: 'wait_still' }]);
    for (let i = 0; i < TIMES; i++) {
      const began = performance.now();
      await sandbox.desktop.act([{ action: 'click', x: 100, y: 100 }, { action: 'wait_change' }]);
      await sandbox.desktop.screenshot();
      clicks.push(performance.now() - began);
    }
    for (let i = 0; i < 10; i++)
      typed.push(
        await timed(() => sandbox.desktop.act([{ action: 'type', text: 'Fünf λ 漢字. '.repeat(100) }])),
      );
    return [
      row('desktop, first frame', cold, 'ms', 'from nothing to a picture of 1280x800;'),
      row('screenshot', shots, 'ms', '1280x800 with a browser, PNG;'),
      row('click to changed screenshot', clicks, 'ms', 'click, change seen, picture;'),
      row('type 1,200 characters', typed, 'ms', 'of three scripts;'),
      row('idle memory, no desktop', without, 'MB', 'proportional, all processes of a sandbox;'),
      row('idle memory, with the desktop', idle, 'MB', 'after the first picture;'),
    ];
  });
}

/** Megabytes of all processes, shared pages counted in parts. */
async function memory(sandbox: Sandbox): Promise<number> {
  let text = '';
  await sandbox.exec(
    { shell: "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print sum }'" },
    {
      onOutput: (_stream, bytes) => {
        text += bytes.toString();
      },
    },
  );
  return Number(text) / 1_024;
}
