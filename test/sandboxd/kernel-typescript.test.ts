import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { runCode } from '../support/kernel.ts';
import { useSandbox } from './support.ts';

const used = useSandbox();
const ts = (code: string, more: { name?: string; timeoutMs?: number } = {}) =>
  runCode(used.sandbox, { spec: 'typescript', code, ...more });

const COLLECT =
  "require('node:v8').setFlagsFromString('--expose-gc'); for (let i = 0; i < 3; i++) require('node:vm').runInNewContext('gc')()";

describe('a TypeScript kernel', () => {
  it('keeps its state, shows values, and takes declarations again', async () => {
    expect(await ts('const x: number = 20; interface P { a: string }')).toMatchObject({
      fault: null,
      result: '',
    });
    expect((await ts('const x = 21; x * 2')).result).toBe('42');
    expect((await ts('let y = { a: [1, "two"], m: new Map([[1, 2]]) }; y')).result).toBe(
      "{ a: [ 1, 'two' ], m: Map(1) { 1 => 2 } }",
    );
    expect((await ts('await Promise.resolve(7n)')).result).toBe('7n');
    expect((await ts('enum Color { Red, Green }; Color.Green')).result).toBe('1');
    expect((await ts('undefined')).result).toBe('');
    expect(
      (await ts('class A { constructor(private n = 3) {} get() { return this.n } }; new A().get()')).result,
    ).toBe('3');
  });

  it('gives output in its order, and what child processes write', async () => {
    const code = `
      console.log('one'); process.stdout.write('two\\n');
      require('node:child_process').execSync('echo three', { stdio: 'inherit' });
      console.error('bad'); console.table([{ a: 1 }]);`;
    const { stdout, stderr, fault } = await ts(code);
    expect(stdout).toMatch(/^one\ntwo\nthree\n┌/);
    expect(stderr).toBe('bad\n');
    expect(fault).toBeNull();
  });

  it('imports what the workspace has, in every way', async () => {
    const folder = join(used.local.workspace, 'node_modules/greeting');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'package.json'),
      '{"name":"greeting","exports":{"import":"./a.mjs","require":"./a.cjs"}}',
    );
    writeFileSync(
      join(folder, 'a.mjs'),
      'export default "hello"; export const to = (who) => `hello ${who}`;',
    );
    writeFileSync(join(folder, 'a.cjs'), 'exports.kind = "cjs"');
    writeFileSync(join(used.local.workspace, 'own.ts'), 'export const n: number = 5;');
    expect((await ts("import greeting, { to as say } from 'greeting';\nsay(greeting)")).result).toBe(
      "'hello hello'",
    );
    expect((await ts("import * as g from 'greeting';\ng.default")).result).toBe("'hello'");
    expect((await ts("(await import('./own.ts')).n")).result).toBe('5');
    expect((await ts("import { n } from './own.ts'; import { n as m } from './own.ts'; n + m")).result).toBe(
      '10',
    );
    expect((await ts("require('greeting').kind")).result).toBe("'cjs'");
    expect((await ts("import { basename } from 'node:path'; basename(import.meta.url)")).result).toBe(
      "'cell.ts'",
    );
    expect((await ts("import 'nowhere'")).fault).toMatchObject({ code: 'KERNEL_EXCEPTION' });
  });

  it("tells where code threw, in the user's lines", async () => {
    const { fault, exception } = await ts('function f(): never {\n  throw new RangeError("boo");\n}\nf();');
    expect(fault).toEqual({ code: 'KERNEL_EXCEPTION', message: 'RangeError: boo' });
    expect(exception?.traceback).toMatch(
      /^cell-\d+\.ts:2\n {2}throw new RangeError\("boo"\);\n {8}\^\nRangeError: boo\n {4}at f \(cell-\d+\.ts:2:9\)\n {4}at cell-\d+\.ts:4:1$/,
    );
    expect((await ts('const = 3')).exception).toMatchObject({ name: 'SyntaxError' });
    expect((await ts('throw { odd: 1 }')).exception).toMatchObject({
      name: 'Uncaught',
      message: '{ odd: 1 }',
    });
    expect((await ts('1 + 1')).result).toBe('2');
  });

  it('shows images and what says how it is shown', async () => {
    const { displays } = await ts(`
      display(Buffer.from('89504e470d0a1a0a00', 'hex'));
      ({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<b>x</b>', 'application/json': { a: 1 } }) })`);
    expect(displays).toEqual([
      { event: 'display', kind: 'display', data: { 'image/png': 'iVBORw0KGgoA' } },
      { event: 'display', kind: 'result', data: { 'text/html': '<b>x</b>', 'application/json': '{"a":1}' } },
    ]);
  });

  it('refuses input with a clear error', async () => {
    const { fault } = await ts("require('node:readline').createInterface({ input: process.stdin })");
    expect(fault).toMatchObject({ code: 'KERNEL_INPUT_REFUSED' });
    expect(fault?.message).toContain('nobody can type');
  });

  it.each([
    ['an endless loop', 'kept = 2; for (;;) {}'],
    ['a loop after an await', 'kept = 2; await 1; for (;;) {}'],
    ['a promise that nothing resolves', 'kept = 2; await new Promise(() => {})'],
    ['a program that does not end', "kept = 2; require('node:child_process').execSync('sleep 60')"],
    [
      'a value that is shown for ever',
      "kept = 2; ({ [require('node:util').inspect.custom]() { for (;;) {} } })",
    ],
  ])('breaks off %s and keeps its state', async (_what, code) => {
    await ts('var kept = 1; console.log("warm")');
    const { fault, restarted, stdout } = await ts(`console.log('before');\n${code}`, { timeoutMs: 200 });
    expect(fault).toEqual({ code: 'KERNEL_TIMEOUT', message: 'The code ran longer than 0.2 s.' });
    expect({ restarted, stdout }).toEqual({ restarted: false, stdout: 'before\n' });
    // What is left of it is collected without harm.
    expect(await ts(COLLECT)).toMatchObject({ fault: null });
    expect((await ts('kept')).result).toBe('2');
  });

  it('outlives loops in timers and what is thrown there', async () => {
    await ts('setTimeout(() => { for (;;) {} }, 20)', { name: 'timers' });
    const { fault } = await ts('await new Promise((r) => setTimeout(r, 60)); 1', {
      name: 'timers',
      timeoutMs: 300,
    });
    expect(fault?.code).toBe('KERNEL_TIMEOUT');
    const after = await ts(
      'setTimeout(() => { throw new Error("late") }); await new Promise((r) => setTimeout(r, 30)); 5',
      { name: 'timers' },
    );
    expect(after).toMatchObject({ fault: null, result: '5' });
    expect(after.stderr).toContain('Uncaught outside of a cell: Error: late');
  });

  it('starts anew when its process ends, and says so once', async () => {
    await ts('var lost = 1', { name: 'mortal' });
    const died = await ts('console.log("bye"); process.exit(3)', { name: 'mortal' });
    expect(died).toMatchObject({
      stdout: 'bye\n',
      restarted: true,
      fault: { code: 'KERNEL_DIED', message: 'The kernel ended with exit code 3.' },
    });
    expect(await ts('typeof lost', { name: 'mortal' })).toMatchObject({
      result: "'undefined'",
      restarted: false,
    });
    const pid = async () => {
      const { kernels } = await used.sandbox.kernels.list();
      return kernels.find(({ name }) => name === 'mortal')?.pid;
    };
    process.kill(Number(await pid()), 'SIGKILL');
    await vi.waitFor(async () => expect(await pid()).toBeNull());
    expect(await ts('1', { name: 'mortal' })).toMatchObject({ result: '1', restarted: true });
  });

  it('says that its heap was full', async () => {
    const code =
      "require('node:v8').setFlagsFromString('--max-heap-size=40'); const all = []; for (;;) all.push(new Array(1e5).fill(1.5))";
    expect(await ts(code, { name: 'hungry' })).toMatchObject({
      fault: { code: 'KERNEL_OUT_OF_MEMORY' },
      restarted: true,
    });
    expect((await ts('1', { name: 'hungry' })).result).toBe('1');
  });

  it('caps output and says how much is missing', async () => {
    const much = await ts("for (let i = 0; i < 100; i++) process.stdout.write('x'.repeat(99_999) + '\\n')");
    expect(much.stdout.length).toBe(8 * 1024 * 1024);
    expect(much).toMatchObject({ fault: null, dropped_bytes: 10_000_000 - 8 * 1024 * 1024 });
    const wide = await ts("'y'.repeat(20_000_000)");
    expect(wide.result.length).toBe(1_000_000);
    expect((await ts('1')).result).toBe('1');
  });
});

describe('kernels', () => {
  it('stand side by side, are listed, interrupted, restarted and stopped by name', async () => {
    const { kernels } = used.sandbox;
    await ts('var who = "a"', { name: 'a' });
    await ts('var who = "b"', { name: 'b' });
    expect((await ts('who', { name: 'a' })).result).toBe("'a'");
    const running = ts('for (;;) {}', { name: 'a' });
    await vi.waitFor(async () =>
      expect((await kernels.list()).kernels.find(({ name }) => name === 'a')?.busy).toBe(true),
    );
    const interrupted = await vi.waitFor(async () => {
      await kernels.interrupt('a');
      return await running;
    });
    expect(interrupted).toMatchObject({ fault: { code: 'KERNEL_INTERRUPTED' }, restarted: false });
    expect((await ts('who', { name: 'a' })).result).toBe("'a'");
    await kernels.restart('a');
    expect(await ts('typeof who', { name: 'a' })).toMatchObject({ result: "'undefined'", restarted: false });
    await kernels.stop('b');
    const { kernels: left, specs } = await kernels.list();
    expect(left.map(({ name }) => name)).toContain('a');
    expect(left.map(({ name }) => name)).not.toContain('b');
    expect(specs.map(({ spec }) => spec)).toEqual(expect.arrayContaining(['python', 'typescript']));
    await expect(kernels.restart('b')).rejects.toMatchObject({ code: 'KERNEL_UNKNOWN' });
    await expect(
      ts('1', { name: 'python' }).then(() => runCode(used.sandbox, { spec: 'python', code: '1' })),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(runCode(used.sandbox, { spec: 'cobol', code: '1' })).rejects.toMatchObject({
      code: 'KERNEL_UNKNOWN',
    });
  });

  it('stop what nobody waits for any more', async () => {
    const caller = new AbortController();
    const running = used.sandbox.kernels.run(
      { spec: 'typescript', name: 'left', code: 'var left = 1; console.log("on"); for (;;) {}' },
      { signal: caller.signal, onOutput: () => caller.abort(new Error('gone')) },
    );
    await expect(running).rejects.toThrow('gone');
    expect((await ts('left', { name: 'left' })).result).toBe('1');
  });
});
