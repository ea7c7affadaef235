import { describe, expect, vi } from 'vitest';
import { run, startTestSandbox } from '../support/sandbox.ts';
import type { Case, Engine } from './cases.ts';

const MEBIBYTE = 1024 * 1024;

export function limits(engine: Engine, check: Case): void {
  describe('limits', () => {
    check('ends what takes more memory, says so, and the sandbox goes on', async () => {
      const { sandbox } = await startTestSandbox({ driver: engine.makeDriver(), limits: { memory_mb: 256 } });
      const hungry = await run(sandbox, `python3 -c 'x = b"x" * (1 << 30); print(len(x))'`);
      expect(hungry).toMatchObject({ oom_killed: true, stdout: '' });
      const modest = await run(sandbox, `python3 -c 'x = b"x" * (1 << 26); print(len(x))'`);
      expect(modest).toMatchObject({ oom_killed: false, exit_code: 0, stdout: `${1 << 26}\n` });
    });

    check('counts shared memory as memory, and gives a browser enough of it', async () => {
      const { sandbox } = await startTestSandbox({ driver: engine.makeDriver(), limits: { memory_mb: 512 } });
      const { stdout } = await run(sandbox, 'df --output=size -B1 /dev/shm | tail -1');
      expect(Number(stdout)).toBe(256 * MEBIBYTE);
      expect((await run(sandbox, 'head -c 200M /dev/zero >/dev/shm/x')).exit_code).toBe(0);
      expect((await run(sandbox, 'head -c 100M /dev/zero >>/dev/shm/x')).exit_code).not.toBe(0);
    });

    check('refuses processes beyond the limit, and the sandbox goes on', async () => {
      const { sandbox } = await startTestSandbox({ driver: engine.makeDriver(), limits: { pids: 64 } });
      const bomb = await run(sandbox, {
        shell: 'for i in $(seq 200); do sleep 30 & done; wait',
        timeoutMs: 2_000,
      });
      expect(bomb.stderr).toMatch(/fork|resource temporarily unavailable/i);
      await vi.waitFor(async () => expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n'), 10_000);
    });

    check('ends processes that double all the time, and the sandbox goes on', async () => {
      const { sandbox } = await startTestSandbox({ driver: engine.makeDriver(), limits: { pids: 128 } });
      const shell = 'f() { (echo >alive; sleep 0.02; f) & (sleep 0.03; f) & }; f; sleep 60';
      expect(await run(sandbox, { shell, timeoutMs: 500 })).toMatchObject({ timed_out: true });
      await vi.waitFor(
        async () => expect((await run(sandbox, 'rm -f alive; sleep 0.3; ls')).stdout).toBe(''),
        10_000,
      );
    });

    check('gives no more processor time than asked for', async () => {
      const { sandbox } = await startTestSandbox({ driver: engine.makeDriver(), limits: { cpus: 0.2 } });
      const { stdout } = await run(
        sandbox,
        `python3 -c '
import time
end = time.monotonic() + 2
while time.monotonic() < end: pass
print(time.process_time())'`,
      );
      expect(Number(stdout)).toBeLessThan(0.8);
    });

    check('has no swap', async () => {
      const { sandbox } = await startTestSandbox({ driver: engine.makeDriver() });
      const { stdout } = await run(
        sandbox,
        'cd /sys/fs/cgroup; cat memory.swap.max 2>/dev/null || echo $(($(cat memory/memory.memsw.limit_in_bytes) - $(cat memory/memory.limit_in_bytes)))',
      );
      expect(stdout).toBe('0\n');
    });

    check('tells what it has written to disk, or holds the limit itself', async () => {
      const driver = engine.makeDriver();
      const { sandbox, handle } = await startTestSandbox({ driver, limits: { disk_mb: 256 } });
      const before = await driver.diskUsage(handle);
      const written = await run(sandbox, 'head -c 400M /dev/urandom >big');
      const after = await driver.diskUsage(handle);
      if (before === null) {
        expect(after).toBeNull();
        expect(written.exit_code).not.toBe(0);
      } else {
        expect((after ?? 0) - before).toBeGreaterThanOrEqual(400 * MEBIBYTE);
        expect(before).toBeLessThan(16 * MEBIBYTE);
      }
    });

    // What belongs to one sandbox alone. The program's own pages are shared by all of them, and how many of those count
    // as resident depends on the page cache's folios (docs/benchmarks.md has the whole resident size).
    check('holds at most 60 MB of memory of its own for sandboxd while idle', async () => {
      const { sandbox } = await startTestSandbox({ driver: engine.makeDriver() });
      const found = await run(sandbox, 'cat /proc/$(pgrep -o -x sandboxd)/status');
      const own = /^RssAnon:\s+(\d+) kB/m.exec(found.stdout)?.[1];
      expect(Number(own) * 1_024).toBeGreaterThan(1_000_000);
      expect(Number(own) * 1_024).toBeLessThanOrEqual(60 * 1_000_000);
    });
  });
}
