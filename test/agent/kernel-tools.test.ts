import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ToolCallContext, ToolResult } from '../../src/agent/tool.ts';
import { findTool } from '../../src/agent/tools.ts';
import type { NewEvent } from '../../src/protocol/events.ts';
import { startTestSandbox } from '../support/sandbox.ts';
import { cleanWorkspace, ENV, readText, runLlm, startRunbook } from './harness.ts';

const { sandbox } = await startTestSandbox({ lasts: 'file' });
beforeEach(() => cleanWorkspace(sandbox));

/** What the tools have added to the log. */
const opened: NewEvent[] = [];
let calls = 0;
/** Makes a call as the loop does; `name` is that of the call. */
async function call(tool: string, input: object): Promise<ToolResult & { name: string }> {
  calls += 1;
  const name = `${calls}-1`;
  const prepared = findTool(tool)?.prepare(input);
  if (!prepared || typeof prepared === 'string') throw new Error(`not prepared: ${prepared}`);
  const context = {
    sandbox,
    env: ENV,
    name,
    signal: new AbortController().signal,
    log: async () => {},
    append: async (...events: NewEvent[]) => void opened.push(...events),
    portUrl: (port: number) => `http://${port}-job.localhost:8000/`,
    redact: (text: string) => text.replaceAll('hunter2hunter2', '[secret]'),
  } as unknown as ToolCallContext;
  return { ...(await prepared.run(context)), name };
}

describe('python', () => {
  it('keeps its state, and shows prints, values and plots', async () => {
    expect((await call('python', { code: 'x = 20' })).content).toBe('[done; nothing was printed]');
    expect(await call('python', { code: 'import os\nprint(os.environ["GREETING"])\nx + 1' })).toMatchObject({
      content: 'hello\n21',
      isError: false,
      images: [],
    });
    const plot = await call('python', { code: 'import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])' });
    expect(plot.images?.[0]?.toString('latin1', 1, 4)).toBe('PNG');
    expect(plot.content).toBe('[an image]');
  });

  it('says what went wrong, by name and with what to do', async () => {
    const thrown = await call('python', { code: 'print("first")\n1 / 0' });
    expect(thrown).toMatchObject({ isError: true });
    expect(thrown.content).toMatch(
      /^first\n-+\nZeroDivisionError[\s\S]*ZeroDivisionError: division by zero$/,
    );
    expect((await call('python', { code: 'input()' })).content).toMatch(
      /\[KERNEL_INPUT_REFUSED: .*Nobody can type/,
    );
    const late = await call('python', { code: 'y = 1\nprint("on")\nwhile True: pass', timeout_s: 1 });
    expect(late.content).toMatch(/^on\n[\s\S]*\[KERNEL_TIMEOUT: The code ran longer than 1 s\./);
    expect((await call('python', { code: 'y' })).content).toBe('1');
    const died = await call('python', { code: 'import os; os._exit(3)' });
    expect(died.content).toMatch(/\[KERNEL_DIED: .*exit code 3[\s\S]*\n\[the state of the kernel was lost/);
  });

  it('shows much output in part, and keeps pages and the whole in files', async () => {
    const much = await call('python', { code: 'for i in range(30_000): print(i)' });
    expect(much.content).toContain('characters left out here');
    // What neither head nor tail has is for recall to find.
    expect(much.content).not.toContain('\n15000\n');
    expect(much.leftOut).toContain('\n15000\n');
    expect((await readText(sandbox, much.fullOutput ?? '')).split('\n')[29_999]).toBe('29999');
    const page = await call('python', {
      code: 'from IPython.display import HTML\nHTML("<b>hunter2hunter2</b>")',
    });
    expect(page.content).toBe(`<b>hunter2hunter2</b>\n[shown as html: .agent/outputs/${page.name}-1.html]`);
    expect(await readText(sandbox, `.agent/outputs/${page.name}-1.html`)).toBe('<b>[secret]</b>');
  });

  it('shows what was printed after the call before', async () => {
    const code = 'import threading\ndef say():\n  print("late", flush=True)\n  open("said", "w").close()\n';
    await call('python', { code: `${code}threading.Timer(0.1, say).start()` });
    await vi.waitFor(() => sandbox.stat('said'), 10_000);
    expect((await call('python', { code: '1 + 1' })).content).toBe(
      '[printed in the background since the last call:]\nlate\n[this call:]\n2',
    );
  });

  it('starts anew when asked to, and uses other kernels', async () => {
    await call('python', { code: 'z = 1' });
    expect((await call('python', { code: 'z = 2; z', kernel: 'second' })).content).toBe('2');
    expect((await call('python', { code: '"z" in globals()', restart: true })).content).toBe('False');
    expect((await call('python', { code: 'z', kernel: 'second' })).content).toBe('2');
    expect((await call('python', { code: 'print(5)', kernelspec: 'python3' })).content).toBe('5');
    await expect(call('python', { code: '1', kernelspec: 'cobol' })).rejects.toMatchObject({
      code: 'KERNEL_UNKNOWN',
    });
  });
});

describe('typescript', () => {
  it('keeps its state and shows values', async () => {
    expect(
      (await call('typescript', { code: 'const n: number = 2; console.log("hi"); n * 2' })).content,
    ).toBe('hi\n4');
    const thrown = await call('typescript', { code: 'n;\nthrow new Error("no")' });
    expect(thrown.content).toMatch(/^cell-\d+\.ts:2\nthrow new Error/);
    expect(thrown.isError).toBe(true);
  });
});

describe('background commands', () => {
  it('are waited for, read on, listed and ended', async () => {
    const started = await call('shell', {
      command: 'echo one; sleep 0.3; echo ready; sleep 100',
      background: true,
    });
    const id = started.name;
    expect(started.content).toContain(`Its id for shell_output and shell_kill is ${id}.`);
    const ready = await call('shell_output', { id, wait_s: 20, wait_for: 'ready' });
    expect(ready.content).toMatch(/^one\nready\n\[running for \d+ s; next from 10\]$/);
    expect((await call('shell_output', { id, from: 4 })).content).toMatch(/^ready\n/);
    expect((await call('shell_output', { id, from: 10, wait_s: 1, wait_for: 'more' })).content).toMatch(
      /^\[running .*; it has not printed what was waited for\]$/,
    );
    expect((await call('shell_output', {})).content).toMatch(new RegExp(`^${id}: running .*: echo one`, 'm'));
    expect((await call('shell_kill', { id })).content).toBe('Ended: ended by SIGTERM.');
    expect((await call('shell_kill', { id })).content).toContain('over already');
    expect((await call('shell_output', { id, wait_s: 20, wait_for: 'never' })).content).toContain(
      'ended by SIGTERM',
    );
    await expect(call('shell_output', { id: '99999-1' })).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
  });
});

describe('open_port', () => {
  it('waits until something listens, and gives people the link', async () => {
    const server = "require('http').createServer((_, r) => r.end('hi')).listen(4321, 'localhost')";
    await call('shell', { command: `sleep 0.5; node -e "${server}"`, background: true });
    opened.length = 0;
    const result = await call('open_port', { port: 4_321, title: 'A greeting' });
    expect(result).toMatchObject({
      content: 'Port 4321 (node -e '.concat(
        server,
        ') is open to the user at http://4321-job.localhost:8000/',
      ),
    });
    expect(opened).toMatchObject([
      {
        type: 'port.opened',
        data: { port: 4_321, url: 'http://4321-job.localhost:8000/', title: 'A greeting' },
      },
    ]);
  });

  it('says what listens instead when the time is over', async () => {
    opened.length = 0;
    const result = await call('open_port', { port: 4_322, wait_s: 0 });
    expect(result).toMatchObject({ isError: true });
    expect(result.content).toMatch(/^Nothing listens on port 4322 after 0 s\. These ports .*4321 \(node/);
    expect(opened).toEqual([]);
  });
});

it('a plot reaches the model as an image, and the log of events as a reference', async () => {
  const plot = 'import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])';
  const run = await runLlm(
    {
      tracks: [
        {
          turns: [
            { calls: [{ name: 'python', input: { code: plot } }] },
            { calls: [{ name: 'finish', input: { summary: 'done', success: true } }] },
          ],
        },
      ],
    },
    { sandbox },
  );
  await run.result;
  const [result] = run.of('tool.result');
  expect(result?.images).toMatchObject([{ media_type: 'image/png', width: expect.any(Number) }]);
  expect(JSON.stringify(run.events).length).toBeLessThan(10_000);
  expect(JSON.stringify(run.requests.at(-1)?.messages)).toContain('[image_url]');
});

describe('a runbook', () => {
  const block = (language: string, code: string) => `\`\`\`${language}\n${code}\n\`\`\`\n`;

  it('keeps state from block to block of a language, and what they show in files', async () => {
    const run = startRunbook({
      sandbox,
      prompt: [
        block('python', 'n = 20\nimport matplotlib.pyplot as plt'),
        block('ts', 'const m: number = 1;'),
        block('python', '_ = plt.plot([1, 2])\nplt.show()\nn + 1'),
        block('js', 'm + 1'),
        block('python', 'import sys\nprint("early")\nsys.exit(0)'),
      ].join('\n'),
    });
    await run.result;
    expect(run.logs.stdout).toContain('[shown: output/block-3-1.png]\n21\n');
    expect(run.logs.stdout).toMatch(/==> \[4\/5\] m \+ 1\n2\n/);
    expect((await sandbox.stat('output/block-3-1.png')).size).toBeGreaterThan(1_000);
  });

  it('shows what was printed between its blocks', async () => {
    const code = 'import threading\ndef say():\n  print("late", flush=True)\n  open("said2", "w").close()\n';
    const run = startRunbook({
      sandbox,
      prompt: [
        block('python', `${code}threading.Timer(0.1, say).start()`),
        block('bash', 'until test -e said2; do sleep 0.02; done'),
        block('python', '7'),
      ].join('\n'),
    });
    await run.result;
    expect(run.logs.stdout).toMatch(/7\n\[printed in the background before this block:\]\nlate\n/);
  });

  it('ends with the exit code that a block asks for', async () => {
    const run = startRunbook({ sandbox, prompt: block('python', 'import sys\nsys.exit(4)') });
    await expect(run.result).rejects.toMatchObject({ message: expect.stringContaining('exit code 4') });
    const late = startRunbook({ sandbox, prompt: block('ts timeout=1', 'for (;;) {}') });
    await expect(late.result).rejects.toMatchObject({
      message: expect.stringContaining('longer than its timeout'),
    });
  });
});
