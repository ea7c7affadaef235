import { describe, expect, it } from 'vitest';
import { GuiSyntaxError, parseGui } from '../../src/agent/desktop/parse-gui.ts';
import { startTestSandbox } from '../support/sandbox.ts';
import { readText, startRunbook } from './harness.ts';

const stepsOf = (code: string) => parseGui(code).map((line) => ('step' in line ? line.step : line));

describe('the lines of a gui block', () => {
  it('are actions', () => {
    const code = [
      '# a remark',
      '',
      'open xterm -e "sleep 1"',
      'click',
      'click 10, 20 right double ctrl+shift',
      'drag 1 2 3 4',
      'scroll down',
      'scroll left 2 at 5 6',
      'type "a\\nb"',
      "type it's plain",
      'key ctrl+s Return',
      'wait-still 5s',
      'wait-change 300ms',
      '  press  ',
      'write-clipboard "x"',
    ].join('\n');
    expect(stepsOf(code)).toEqual([
      { action: 'open', command: 'xterm -e "sleep 1"' },
      { action: 'click' },
      { action: 'click', x: 10, y: 20, button: 'right', count: 2, modifiers: ['ctrl', 'shift'] },
      { action: 'drag', from_x: 1, from_y: 2, x: 3, y: 4 },
      { action: 'scroll', dy: 3 },
      { action: 'scroll', dx: -2, x: 5, y: 6 },
      { action: 'type', text: 'a\nb' },
      { action: 'type', text: "it's plain" },
      { action: 'key', keys: 'ctrl+s Return' },
      { action: 'wait_still', timeout_ms: 5_000 },
      { action: 'wait_change', timeout_ms: 300 },
      { action: 'press', button: 'left' },
      { action: 'write_clipboard', text: 'x' },
    ]);
    expect(parseGui('\nwait 2s\nscreenshot a/b.png 1 2 3 4\nfocus "My window"')).toMatchObject([
      { line: 2, pauseMs: 2_000 },
      { line: 3, screenshot: 'a/b.png', region: [1, 2, 3, 4] },
      { line: 4, window: 'My window' },
    ]);
  });

  it.each([
    ['click\nclik 1 2', /^line 2, "clik 1 2": expected a command \(open, click, .*\); found "clik"$/],
    ['click 1', /expected x and y as whole numbers; found "1"$/],
    ['click 1 2 lefft', /expected x and y, then a button.*; found "lefft"$/],
    ['move a b', /expected x and y as whole numbers; found "a b"$/],
    ['scroll sideways', /expected up, down, left or right/],
    ['type', /expected the text; found "nothing"$/],
    ['type "open', /expected text whose quotes are closed/],
    ['wait-still soon', /expected a time up to 120s, such as 5s or 500ms; found "soon"$/],
    ['screenshot picture', /expected a file name that ends in \.png or \.jpg; found "picture"$/],
    ['screenshot ../x.png', /expected a path in the workspace/],
    ['windows now', /expected nothing after it; found "now"$/],
    ['constructor', /expected a command/],
  ])('are refused with what was expected: %s', (code, message) => {
    expect(() => parseGui(code)).toThrow(GuiSyntaxError);
    expect(() => parseGui(code)).toThrow(message);
  });
});

describe('a gui block', async () => {
  const { sandbox } = await startTestSandbox({ lasts: 'file' });
  const block = (code: string, attributes = '') => `\`\`\`gui ${attributes}\n${code}\n\`\`\`\n`;

  it('works at the desktop beside the other blocks', async () => {
    const run = startRunbook({
      sandbox,
      prompt: [
        '```bash\nmkdir -p made && cd made\n```\n',
        block(
          [
            'open xterm',
            'focus XTerm',
            'type "echo λ from $PWD $GREETING > said\\n"',
            'wait-still 10s',
            'screenshot shots/one.png',
            'screenshot shots/part.jpg 0 0 100 50',
            'close xterm',
          ].join('\n'),
        ),
        '```bash\ncat said\n```\n',
      ].join('\n'),
    });
    await run.result;
    expect(await readText(sandbox, 'made/said')).toBe('λ from /workspace/made hello\n');
    expect((await sandbox.stat('shots/one.png')).size).toBeGreaterThan(1_000);
    expect((await sandbox.stat('shots/part.jpg')).size).toBeGreaterThan(100);
    expect(run.of('block.ended').map(({ exit_code }) => exit_code)).toEqual([0, 0, 0]);
  });

  it.each([
    ['wait-still\nwait-change 200ms', '', /exit code 1\.\nline 2, "wait-change 200ms": Nothing had changed/],
    [
      'move 1 1\nfocus Nowhere',
      '',
      /line 2, "focus Nowhere": expected a window whose title has "Nowhere"; found/,
    ],
    ['open exit 3', '', /exit code 1\.\nline 1, "open exit 3": The program ended with exit code 3/],
    ['klick 1 1', '', /exit code 2\.\nline 1, "klick 1 1": expected a command/],
    ['wait 60s', 'timeout=1', /ran longer than its timeout of 1 s/],
  ])('fails with the line and what was expected: %s', async (code, attributes, message) => {
    await expect(startRunbook({ sandbox, prompt: block(code, attributes) }).result).rejects.toMatchObject({
      code: 'RUNBOOK_BLOCK_FAILED',
      message: expect.stringMatching(message),
    });
  });
});
