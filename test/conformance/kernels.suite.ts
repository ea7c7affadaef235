import { describe, expect, vi } from 'vitest';
import { runCode } from '../support/kernel.ts';
import { run, startTestSandbox } from '../support/sandbox.ts';
import type { Case, Engine } from './cases.ts';

const PNG = 'iVBORw0KGgo';

export function runsKernels(engine: Engine, check: Case): void {
  const start = (memory_mb = 512) => startTestSandbox({ driver: engine.makeDriver(), limits: { memory_mb } });

  describe('kernels', () => {
    check(
      'run Python with lasting state and rich output',
      async () => {
        const { sandbox } = await start();
        const py = (code: string) => runCode(sandbox, { code, env: { GREETING: 'hello' } });
        expect(await py('import os, sys\nx = 20')).toMatchObject({ fault: null, result: '' });
        const first = await py(
          'print(os.environ["GREETING"], os.getcwd())\nprint("oh", file=sys.stderr)\nx + 1',
        );
        expect(first).toMatchObject({ stdout: 'hello /workspace\n', stderr: 'oh\n', result: '21' });
        expect((await py('await __import__("asyncio").sleep(0, 7)')).result).toBe('7');
        expect((await py('!echo from a shell')).stdout).toContain('from a shell');
        const shown = await py(
          'from IPython.display import display, HTML, SVG, JSON\ndisplay(HTML("<b>x</b>"), JSON({"a": 1}))\nSVG("<svg xmlns=\'http://www.w3.org/2000/svg\'/>")',
        );
        expect(shown.displays.map(({ kind, data }) => [kind, Object.keys(data).sort()])).toEqual([
          ['display', ['text/html', 'text/plain']],
          ['display', ['application/json', 'text/plain']],
          ['result', ['image/svg+xml', 'text/plain']],
        ]);
        const failed = await py('def f():\n    return 1 / 0\nf()');
        expect(failed.fault).toEqual({
          code: 'KERNEL_EXCEPTION',
          message: 'ZeroDivisionError: division by zero',
        });
        expect(failed.exception?.traceback).toMatch(/line 2, in f\(\)\n.*\n----> 2 {5}return 1 \/ 0/);
        expect((await py('input("name? ")')).fault?.code).toBe('KERNEL_INPUT_REFUSED');
        const { kernels, specs } = await sandbox.kernels.list();
        expect(kernels).toMatchObject([{ name: 'python', spec: 'python', busy: false }]);
        expect(specs.map(({ spec }) => spec)).toEqual(['python', 'typescript', 'python3']);
      },
      60_000,
    );

    check(
      'give a plot of matplotlib as PNG, and what has a look of its own as HTML, as a notebook does',
      async () => {
        const { sandbox } = await start();
        const plot = await runCode(sandbox, { code: 'import matplotlib.pyplot as plt\nplt.plot([1, 2, 4])' });
        expect(plot.displays.at(-1)?.data['image/png']?.startsWith(PNG)).toBe(true);
        const table = 'class T:\n  def _repr_html_(self): return "<table></table>"\nT()';
        expect((await runCode(sandbox, { code: table })).displays[0]?.data['text/html']).toBe(
          '<table></table>',
        );
      },
      60_000,
    );

    check(
      'run TypeScript, and any kernel that the image has by its name, side by side',
      async () => {
        const { sandbox } = await start();
        const [ts, one, two] = await Promise.all([
          runCode(sandbox, {
            spec: 'typescript',
            code: 'const n: number = 41; await Promise.resolve(n + 1)',
          }),
          runCode(sandbox, { spec: 'python3', name: 'other', code: 'y = 1; y' }),
          runCode(sandbox, { code: 'y = 2; y' }),
        ]);
        expect([ts.result, one.result, two.result]).toEqual(['42', '1', '2']);
        expect((await runCode(sandbox, { spec: 'python3', name: 'other', code: 'y' })).result).toBe('1');
      },
      60_000,
    );

    check(
      'tell with the next run what was printed in between',
      async () => {
        const { sandbox } = await start();
        const later = {
          python: [
            'import threading',
            'def say():\n  print("late", flush=True)\n  display("shown late")',
            'threading.Timer(0.2, say).start()',
          ].join('\n'),
          typescript:
            'setTimeout(() => { process.stdout.write("late\\n"); display("shown late") }, 200); undefined',
        };
        for (const [spec, code] of Object.entries(later)) {
          expect(await runCode(sandbox, { spec, code })).toMatchObject({ earlier: '', stdout: '' });
          let earlier = '';
          // What comes while a run is under way is that run's.
          let during = '';
          await vi.waitFor(async () => {
            const ran = await runCode(sandbox, { spec, code: '' });
            earlier += ran.earlier;
            during += ran.stdout + ran.displays.map(({ data }) => `${data['text/plain']}\n`).join('');
            expect(earlier + during).toMatch(/late\n.*shown late/s);
          }, 10_000);
          expect(await runCode(sandbox, { spec, code: '' })).toMatchObject({ earlier: '' });
        }
        // A thread that never stops is no reason to keep more than a little.
        await runCode(sandbox, {
          code: 'import time\ndef on():\n  for i in range(100): print("x" * 999, flush=True)\n  open("done", "w").close()\n_ = threading.Timer(0.1, on).start()',
        });
        await vi.waitFor(() => sandbox.stat('/workspace/done'), 10_000);
        const { earlier, stdout } = await runCode(sandbox, { code: '' });
        expect(earlier + stdout).toMatch(/x\n$/);
        expect(earlier.length).toBeLessThanOrEqual(8_192);
      },
      60_000,
    );

    check(
      'break off an endless loop and keep its state',
      async () => {
        const { sandbox } = await start();
        await runCode(sandbox, { code: 'x = 1' });
        for (const code of ['while True: pass', 'import time; time.sleep(60)', '!sleep 60']) {
          const looped = await runCode(sandbox, {
            code: `print("before", flush=True)\n${code}`,
            timeoutMs: 700,
          });
          expect(looped).toMatchObject({
            fault: { code: 'KERNEL_TIMEOUT' },
            restarted: false,
            stdout: expect.stringMatching(/^before\n/),
          });
        }
        expect((await runCode(sandbox, { code: 'x' })).result).toBe('1');
        const deaf =
          'import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nprint("deaf", flush=True)\nwhile True: pass';
        expect(await runCode(sandbox, { code: deaf, timeoutMs: 700 })).toMatchObject({
          fault: { code: 'KERNEL_TIMEOUT' },
          restarted: true,
          stdout: 'deaf\n',
        });
        expect(await runCode(sandbox, { code: '"x" in globals()' })).toMatchObject({
          result: 'False',
          restarted: false,
        });
      },
      60_000,
    );

    check(
      'cap 10 MB of output, and go on',
      async () => {
        const { sandbox } = await start();
        const much = await runCode(sandbox, { code: 'for i in range(100): print("x" * 99_999)' });
        expect(much.fault).toBeNull();
        expect(much.stdout.length + much.dropped_bytes).toBeGreaterThanOrEqual(10_000_000);
        expect(much.dropped_bytes).toBeGreaterThan(1_000_000);
        // One message that is too large to be looked at.
        expect((await runCode(sandbox, { code: 'print("y" * 30_000_000)' })).dropped_bytes).toBeGreaterThan(
          29_000_000,
        );
        expect((await runCode(sandbox, { code: '"still here"' })).result).toBe("'still here'");
      },
      60_000,
    );

    check(
      'say that memory ran out, or that the process ended, and start anew',
      async () => {
        const { sandbox } = await start(384);
        expect(await runCode(sandbox, { code: 'b = b"x" * (2 << 30)' })).toMatchObject({
          fault: { code: 'KERNEL_OUT_OF_MEMORY' },
          restarted: true,
        });
        expect(await runCode(sandbox, { code: '1 + 1' })).toMatchObject({ fault: null, result: '2' });
        const ended = await runCode(sandbox, { code: 'import os\nprint("bye", flush=True)\nos._exit(7)' });
        expect(ended).toMatchObject({ fault: { code: 'KERNEL_DIED' }, restarted: true });
        expect(ended.fault?.message).toContain('exit code 7');
        expect((await runCode(sandbox, { code: '1 + 1' })).result).toBe('2');
        expect((await run(sandbox, 'echo fine')).stdout).toBe('fine\n');
      },
      60_000,
    );

    check(
      'end a fork bomb with what belongs to it',
      async () => {
        const { sandbox } = await startTestSandbox({ driver: engine.makeDriver(), limits: { pids: 96 } });
        const bomb = await runCode(sandbox, {
          code: 'import os\nwhile True:\n  try: os.fork()\n  except OSError: pass',
          timeoutMs: 1_000,
        });
        expect(bomb.fault?.code).toBe('KERNEL_TIMEOUT');
        await vi.waitFor(async () => {
          expect((await runCode(sandbox, { code: '6 * 7' })).result).toBe('42');
          expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
        }, 60_000);
      },
      90_000,
    );

    check(
      'hold TypeScript to the same limits',
      async () => {
        const { sandbox } = await startTestSandbox({
          driver: engine.makeDriver(),
          limits: { memory_mb: 384, pids: 96 },
        });
        const ts = (code: string, timeoutMs?: number) =>
          runCode(sandbox, { spec: 'typescript', code, ...(timeoutMs !== undefined && { timeoutMs }) });
        await ts('const x: number = 1');
        expect(await ts('console.log("before"); for (;;) {}', 700)).toMatchObject({
          fault: { code: 'KERNEL_TIMEOUT' },
          restarted: false,
          stdout: 'before\n',
        });
        expect((await ts('x')).result).toBe('1');
        const much = await ts('for (let i = 0; i < 100; i++) console.log("x".repeat(99_999))');
        expect(much).toMatchObject({ fault: null, dropped_bytes: 10_000_000 - much.stdout.length });
        expect(much.dropped_bytes).toBeGreaterThan(1_000_000);
        const bomb = 'f() { (sleep 0.02; f) & (sleep 0.03; f) & }; f; sleep 60';
        // What waits for a program hears of nothing until that has ended: the kernel may have to go, too.
        const waits = `require('node:child_process').spawnSync('bash', ['-c', ${JSON.stringify(bomb)}])`;
        expect((await ts(waits, 700)).fault?.code).toBe('KERNEL_TIMEOUT');
        expect(await ts('const held = []; for (;;) held.push(Buffer.alloc(1 << 24, 1))')).toMatchObject({
          fault: { code: 'KERNEL_OUT_OF_MEMORY' },
          restarted: true,
        });
        expect((await ts('1 + 1')).result).toBe('2');
        expect((await run(sandbox, 'echo fine; pgrep -c sleep')).stdout).toBe('fine\n0\n');
      },
      60_000,
    );
  });
}
