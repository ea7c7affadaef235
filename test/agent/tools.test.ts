import { beforeEach, describe, expect, it } from 'vitest';
import type { ToolCallContext, ToolResult } from '../../src/agent/tool.ts';
import { findTool } from '../../src/agent/tools.ts';
import { CodedError } from '../../src/protocol/errors.ts';
import { startTestSandbox } from '../support/sandbox.ts';
import { cleanWorkspace, ENV, readText } from './harness.ts';

const { sandbox } = await startTestSandbox({ lasts: 'file' });
const logs = { stdout: '', stderr: '' };
let calls = 0;
beforeEach(async () => {
  await cleanWorkspace(sandbox);
  Object.assign(logs, { stdout: '', stderr: '' });
});

async function call(name: string, input: object): Promise<ToolResult> {
  const prepared = findTool(name)?.prepare(input);
  if (typeof prepared !== 'object') throw new Error(prepared ?? 'no such tool');
  calls += 1;
  const context = {
    sandbox,
    signal: new AbortController().signal,
    env: ENV,
    redact: (text: string) => text.replaceAll('hunter2hunter2', '[secret]'),
    log: async (type: 'stdout' | 'stderr', text: Buffer | string) => {
      logs[type] += text.toString();
    },
    name: `1-${calls}`,
  } as unknown as ToolCallContext;
  return prepared.run(context);
}

describe('shell', () => {
  it('keeps directory and variables, and gives output and exit code', async () => {
    expect(await call('shell', { command: 'mkdir -p d && cd d && X=1' })).toMatchObject({
      content: '[exit code 0]',
      exitCode: 0,
    });
    const result = await call('shell', { command: 'echo "$PWD $X $GREETING"; echo oops >&2; (exit 3)' });
    expect(result).toMatchObject({ exitCode: 3, fullOutput: null });
    expect(result.content.split('\n').toSorted()).toEqual(['/workspace/d 1 hello', '[exit code 3]', 'oops']);
    expect(logs).toEqual({ stdout: '/workspace/d 1 hello\n', stderr: 'oops\n' });
  });

  it('stops a command at its timeout and shows what it printed', async () => {
    const { content } = await call('shell', { command: 'echo early; sleep 60', timeout_s: 1 });
    expect(content).toMatch(/^early\n\[stopped after 1 s; /);
  });

  it('shows head and tail of a long output and keeps the whole, without secrets', async () => {
    const result = await call('shell', { command: 'seq 1 300000; echo $SECRET' });
    expect(result.content.length).toBeLessThan(31_000);
    expect(result.content.startsWith('1\n2\n3\n')).toBe(true);
    expect(result.content).toMatch(
      /characters left out here; the whole output is in \.agent\/outputs\/1-\d+\.txt/,
    );
    expect(result.content).toContain('\n300000\n');
    const shown = result.content.split(/\n\n\[\.\.\. |\.\.\.\]\n\n/)[0] ?? '';
    // The line that the cut goes through is in both.
    const lines = shown.slice(0, shown.lastIndexOf('\n') + 1);
    expect(`${lines}${result.leftOut}`).toBe(
      Array.from({ length: 300_000 }, (_, n) => `${n + 1}\n`)
        .join('')
        .slice(0, 10_000 + 1_000_000),
    );
    const whole = await readText(sandbox, result.fullOutput ?? '');
    const kept = whole.split('\n');
    expect(kept.length).toBe(300_002);
    expect(kept[299_999]).toBe('300000');
    expect(kept[300_000]).toBe('[secret]');
  });

  it('cleans colours, progress bars and broken UTF-8', async () => {
    const { content } = await call('shell', {
      command: `printf '\\033[31mred\\033[0m\\n 10%%\\r100%%\\n\\377\\n'`,
    });
    expect(content).toBe('red\n100%\n\ufffd\n[exit code 0]');
  });

  it('runs a server in the background, in the directory of the session', async () => {
    await call('shell', { command: 'mkdir -p www && cd www && echo hi >index.html' });
    const { content } = await call('shell', { command: 'python3 -u -m http.server 8123', background: true });
    const [, pid, file] = /process (\d+)\. Its output goes to (\S+)\./.exec(content) ?? [];
    const fetched = await call('shell', {
      command: 'curl -s --retry 40 --retry-connrefused --retry-delay 1 --noproxy "*" http://127.0.0.1:8123/',
    });
    expect(fetched.content).toMatch(/^hi\n/);
    expect(await readText(sandbox, file ?? '')).toContain('GET / ');
    await call('shell', { command: `kill -- -${pid}` });
    await expect
      .poll(async () => (await call('shell', { command: `kill -0 ${pid}` })).exitCode, { timeout: 5_000 })
      .toBe(1);
  });
});

describe('read_file', () => {
  it('numbers lines, and reads a part', async () => {
    await sandbox.write('f', 'a\nb\nc\nd\n');
    expect((await call('read_file', { path: 'f' })).content).toBe(
      '     1\ta\n     2\tb\n     3\tc\n     4\td',
    );
    expect((await call('read_file', { path: '/workspace/f', offset: 2, limit: 2 })).content).toBe(
      '     2\tb\n     3\tc\n[lines 4 to 4 follow; read on with offset 4]',
    );
    expect(await call('read_file', { path: 'f', offset: 9 })).toMatchObject({
      isError: true,
      content: expect.stringContaining('4 lines'),
    });
  });

  it('caps what it shows', async () => {
    await sandbox.write('long', `${'x'.repeat(10_000)}\n`.repeat(100));
    const { content } = await call('read_file', { path: 'long' });
    expect(content.length).toBeLessThan(31_000);
    expect(content).toContain('[line cut]');
    expect(content).toMatch(/\[lines \d+ to 100 follow/);
    await sandbox.exec({ shell: 'head -c 9000000 /dev/zero | tr "\\0" "\\n" >huge' });
    expect((await call('read_file', { path: 'huge' })).content).toContain('and more follow');
  });

  it('says what cannot be read as text', async () => {
    await sandbox.write('bin', Buffer.from([1, 0, 2]));
    await sandbox.write('empty', '');
    expect(await call('read_file', { path: 'bin' })).toMatchObject({
      isError: true,
      content: expect.stringContaining('binary'),
    });
    expect((await call('read_file', { path: 'empty' })).content).toContain('empty');
    await expect(call('read_file', { path: 'none' })).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
    await expect(call('read_file', { path: '.' })).rejects.toBeInstanceOf(CodedError);
  });
});

describe('write_file', () => {
  it('makes folders, keeps the mode of what it replaces, and makes executables', async () => {
    expect((await call('write_file', { path: 'a/b/c.sh', content: 'ünï', executable: true })).content).toBe(
      'Made a/b/c.sh: 5 bytes.',
    );
    expect((await call('write_file', { path: 'a/b/c.sh', content: 'x' })).content).toMatch(/^Replaced/);
    expect((await sandbox.stat('a/b/c.sh')).mode & 0o111).toBe(0o111);
  });
});

describe('edit_file', () => {
  it('replaces one place, or all', async () => {
    await sandbox.write('f', 'one\ntwo\none\n$& three\n', { mode: 0o755 });
    expect(await call('edit_file', { path: 'f', old_string: 'one', new_string: '1' })).toMatchObject({
      isError: true,
      content: expect.stringContaining('stands 2 times in f, on lines 1, 3'),
    });
    expect(
      (await call('edit_file', { path: 'f', old_string: 'two\n', new_string: '$1 $& 2\n' })).content,
    ).toBe('Replaced it on line 2 of f.');
    await call('edit_file', { path: 'f', old_string: 'one', new_string: '1', replace_all: true });
    expect(await readText(sandbox, 'f')).toBe('1\n$1 $& 2\n1\n$& three\n');
    expect((await sandbox.stat('f')).mode & 0o777).toBe(0o755);
  });

  it('keeps Windows line ends', async () => {
    await sandbox.write('f', 'a\r\nb\r\nc\r\n');
    await call('edit_file', { path: 'f', old_string: 'a\nb\n', new_string: 'x\ny\nz\n' });
    expect(await readText(sandbox, 'f')).toBe('x\r\ny\r\nz\r\nc\r\n');
  });

  it('says what is nearest when it finds nothing, and touches nothing', async () => {
    await sandbox.write('f', 'function add(a, b) {\n    return a + b;\n}\n');
    const result = await call('edit_file', {
      path: 'f',
      old_string: 'function add(a, b) {\n  return a',
      new_string: 'x',
    });
    expect(result).toMatchObject({
      isError: true,
      content: expect.stringContaining('Line 1 has the same words'),
    });
    await sandbox.write('latin', Buffer.from([0x66, 0xfc, 0x72]));
    expect(await call('edit_file', { path: 'latin', old_string: 'f', new_string: 'g' })).toMatchObject({
      isError: true,
    });
    expect((await sandbox.stat('latin')).size).toBe(3);
  });
});

describe('list_files and search_files', () => {
  beforeEach(async () => {
    for (const path of ['src/a.ts', 'src/deep/b.ts', 'node_modules/x/y/index.js', 'README.md'])
      await sandbox.write(path, `// ${path}\nconst needle = "$(touch hacked)";\n`);
  });

  it('lists to a depth and does not look into dependency folders', async () => {
    const { content } = await call('list_files', {});
    expect(content).toContain('src/\n');
    expect(content).toMatch(/^src\/a\.ts \d+$/m);
    expect(content).toMatch(/^node_modules\/$/m);
    expect(content).not.toContain('node_modules/x');
    expect(content).not.toContain('b.ts');
    expect((await call('list_files', { path: 'src', depth: 3 })).content).toMatch(/^deep\/b\.ts \d+$/m);
  });

  it('searches by pattern and glob, the pattern never seen by a shell', async () => {
    const found = await call('search_files', { pattern: 'needle = "\\$\\(touch', glob: '*.ts', context: 1 });
    expect(found.content).toMatch(/^src\/a\.ts:2:const needle/m);
    expect(found.content).toContain('src/deep/b.ts');
    expect(found.content).not.toContain('README');
    expect((await call('search_files', { pattern: '', files_only: true, glob: '*.md' })).content).toContain(
      'README.md',
    );
    expect((await call('search_files', { pattern: '-e', path: 'src' })).content).toBe('[nothing found]');
    expect((await call('search_files', { pattern: '$(touch hacked)' })).isError).toBeUndefined();
    expect(await call('search_files', { pattern: '(' })).toMatchObject({ isError: true });
    await expect(sandbox.stat('hacked')).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
  });

  it('caps what it finds', async () => {
    await sandbox.write('many.txt', 'needle in a haystack\n'.repeat(100_000));
    const { content } = await call('search_files', { pattern: 'needle' });
    expect(content.length).toBeLessThan(31_000);
    expect(content).toContain('[there is more; narrow the search]');
  });
});
