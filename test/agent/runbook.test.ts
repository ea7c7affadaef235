import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../src/protocol/errors.ts';
import { startTestSandbox } from '../support/sandbox.ts';
import { cleanWorkspace, readText, startRunbook } from './harness.ts';

const { sandbox } = await startTestSandbox({ lasts: 'file' });
beforeEach(() => cleanWorkspace(sandbox));

const block = (language: string, code: string) => `\`\`\`${language}\n${code}\n\`\`\`\n`;

describe('runbook', () => {
  it.each([
    ['hello', 1, ['hello.txt']],
    ['data-report', 4, ['report.html', 'chart.svg', 'months.json']],
  ])('runs examples/%s.md', async (name, blocks, files) => {
    const run = startRunbook({ sandbox, prompt: await readFile(`examples/${name}.md`, 'utf8') });
    await run.result;
    expect(run.of('block.ended').map(({ exit_code }) => exit_code)).toEqual(Array(blocks).fill(0));
    for (const file of files) expect((await sandbox.stat(file)).size).toBeGreaterThan(10);
  });

  it('keeps the shell from block to block, and runs other languages where it stands', async () => {
    const run = startRunbook({
      sandbox,
      prompt: [
        '# First',
        block(
          'bash',
          'mkdir -p sub && cd sub\nX=5\necho "export const two: number = 2;" >two.ts\necho "three = 3" >three.py',
        ),
        block('sh title="Second"', 'echo "$PWD $X $GREETING"; echo careful >&2'),
        block('python', 'import os, three\nprint(os.getcwd(), three.three, os.environ["GREETING"])'),
        block(
          'ts',
          'import { two } from "./two.ts";\nconst n: number = two;\nconsole.log(process.cwd(), n);',
        ),
        block('js', 'const fs = require("fs"); console.log(fs.readdirSync(".").join());'),
      ].join('\n'),
    });
    await expect(run.result).resolves.toEqual({ summary: 'Ran all 5 blocks of the runbook.' });
    expect(run.logs.stdout).toBe(
      [
        '\n==> [1/5] First\n',
        '\n==> [2/5] Second\n/workspace/sub 5 hello\n',
        '\n==> [3/5] First\n/workspace/sub 3 hello\n',
        '\n==> [4/5] First\n/workspace/sub 2\n',
        '\n==> [5/5] First\n__pycache__,three.py,two.ts\n',
      ].join(''),
    );
    expect(run.logs.stderr).toBe('careful\n');
    expect(run.of('block.started')[3]).toEqual({ block: 4, of: 5, language: 'typescript', title: 'First' });
  });

  it.each([
    [
      'a command in the middle of it',
      block('bash', 'echo a\nls /nothing-here\necho b'),
      /exit code 2\.\n.*nothing-here/,
    ],
    ['an exit', block('bash', 'echo why >&2; exit 7'), /exit code 7\.\nwhy/],
    [
      'a Python exception',
      block('python', 'print(1)\nraise ValueError("no good")'),
      /exit code 1\.[\s\S]*ValueError: no good/,
    ],
    [
      'a TypeScript error',
      block('ts', 'const x: number = 1;\nthrow new Error("no good")'),
      /exit code 1\.[\s\S]*no good/,
    ],
    ['a signal', block('python', 'import os\nos.kill(os.getpid(), 9)'), /ended by SIGKILL/],
    [
      'its timeout',
      block('bash timeout=1', 'echo slow >&2; sleep 60'),
      /longer than its timeout of 1 s[\s\S]*slow/,
    ],
    ['a timeout that is none', block('bash timeout=soon', 'true'), /timeout: expected seconds/],
  ])('fails the job by %s, and says where', async (_, second, why) => {
    const run = startRunbook({
      sandbox,
      prompt: `${block('bash', 'true')}\n# The second\n\n${second}\n${block('bash', 'touch third')}`,
    });
    const error = await run.result.then(
      () => 'it succeeded',
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(CodedError);
    expect(error).toMatchObject({ code: 'RUNBOOK_BLOCK_FAILED', message: expect.stringMatching(why) });
    expect((error as CodedError).message).toMatch(/^Block 2 of 3, "The second" \(\w+, line 7\), /);
    expect(run.of('block.ended')).toHaveLength(2);
    await expect(sandbox.stat('third')).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
  });

  it('has nothing to run without a block', async () => {
    await expect(startRunbook({ sandbox, prompt: 'Hello.' }).result).rejects.toMatchObject({
      code: 'RUNBOOK_EMPTY',
    });
  });

  it('keeps secrets out of what it fails with', async () => {
    const prompt = block('bash', 'echo hunter2hunter2 >&2; false');
    await expect(startRunbook({ sandbox, prompt }).result).rejects.toMatchObject({
      message: expect.stringContaining('[secret]'),
    });
  });

  it('notes that it reads no messages', async () => {
    const run = startRunbook({
      sandbox,
      prompt: block('bash', 'true') + block('bash', 'true'),
      onEvent: (event, { say }) => event.type === 'block.ended' && event.data.block === 1 && say('Stop!'),
    });
    await run.result;
    expect(run.of('notice')).toEqual([{ text: expect.stringContaining('reads none') }]);
  });

  it('stops at once when aborted', async () => {
    const abort = new AbortController();
    const run = startRunbook({
      sandbox,
      signal: abort.signal,
      prompt: block('bash', 'echo go; sleep 60'),
    });
    await expect.poll(() => run.logs.stdout).toContain('go\n');
    const aborted = performance.now();
    abort.abort(new CodedError('JOB_TIMEOUT', 'late'));
    await expect(run.result).rejects.toMatchObject({ code: 'JOB_TIMEOUT' });
    expect(performance.now() - aborted).toBeLessThan(2_000);
  });

  describe('after a crash', () => {
    const prompt = [1, 2, 3].map((n) => block('bash', `echo ${n} >>done`)).join('\n');

    it('goes on after the last block that ended well', async () => {
      const whole = startRunbook({ sandbox, prompt });
      await whole.result;
      const cut = whole.events.findIndex((event) => event.type === 'block.started' && event.data.block === 3);
      for (const [history, expected] of [
        [whole.events.slice(0, cut), 'goes on after block 2'],
        [whole.events.slice(0, cut + 1), 'Block 3 was interrupted'],
      ] as const) {
        await sandbox.write('done', '1\n2\n');
        const run = startRunbook({ sandbox, prompt, history: [...history] });
        await run.result;
        expect(await readText(sandbox, 'done')).toBe('1\n2\n3\n');
        expect(run.of('notice')).toEqual([{ text: expect.stringContaining(expected) }]);
      }
    });

    it('starts again when the sandbox was lost', async () => {
      const whole = startRunbook({ sandbox, prompt });
      await whole.result;
      await cleanWorkspace(sandbox);
      const run = startRunbook({ sandbox, prompt, history: whole.events.slice(0, 3), sandboxKept: false });
      await run.result;
      expect(await readText(sandbox, 'done')).toBe('1\n2\n3\n');
      expect(run.of('notice')).toEqual([{ text: expect.stringContaining('starts again from block 1') }]);
    });
  });
});
