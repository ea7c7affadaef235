import { describe, expect, onTestFinished, vi } from 'vitest';
import type { Driver, SandboxHandle, SnapshotHandle } from '../../src/sandbox/driver.ts';
import { testInstallation } from '../support/run-id.ts';
import { run, startTestSandbox } from '../support/sandbox.ts';
import type { Case, Engine } from './cases.ts';

/** A snapshot that goes with the test. */
async function take(driver: Driver, handle: SandboxHandle): Promise<SnapshotHandle> {
  const snapshot = await driver.snapshot(handle);
  onTestFinished(() => driver.removeSnapshot(snapshot));
  return snapshot;
}

export function keepsFiles(engine: Engine, check: Case): void {
  describe('pause and snapshot', () => {
    check('stops every process where it stands, and lets them go on', async () => {
      const driver = engine.makeDriver();
      const { sandbox, handle } = await startTestSandbox({ driver });
      const { id } = await sandbox.spawn({ shell: 'while :; do date +%s%N >now; sleep 0.01; done' });
      const now = async () => (await run(sandbox, 'cat now')).stdout;
      await vi.waitFor(async () => expect(await now()).not.toBe(''), 5_000);
      await driver.pause(handle);
      await driver.pause(handle);
      const signal = AbortSignal.timeout(200);
      await expect(sandbox.hello({ signal })).rejects.toBeDefined();
      await driver.resume(handle);
      await driver.resume(handle);
      const first = await now();
      await vi.waitFor(async () => expect(await now()).not.toBe(first), 5_000);
      expect((await sandbox.processes()).find((process) => process.id === id)?.ended).toBeNull();
    });

    check('destroys one that is paused', async () => {
      const driver = engine.makeDriver();
      const installation = testInstallation();
      const { handle } = await startTestSandbox({ driver, installation });
      await driver.pause(handle);
      await driver.destroy(handle);
      expect(await driver.list(installation)).toEqual([]);
    });

    check(
      'restores files as they were, with owners, modes, links and what was removed; more than once',
      async () => {
        const driver = engine.makeDriver();
        const first = await startTestSandbox({ driver });
        const look =
          'stat -c "%n %a %u %F %s" /workspace/* /usr/bin/env; readlink link; cat file; ls /etc/skel -A | wc -l';
        await run(
          first.sandbox,
          'echo kept >file; chmod 751 file; ln -s file link; ln file hard; mkdir -p d/e; rm -f ~/.bashrc; truncate -s 5M sparse; mkfifo fifo',
        );
        const before = (await run(first.sandbox, look)).stdout;
        const from = await take(driver, first.handle);
        await run(first.sandbox, 'echo changed >file; rm link');
        const forks = await Promise.all([1, 2].map(() => startTestSandbox({ driver, from })));
        for (const { sandbox } of forks) {
          expect((await run(sandbox, look)).stdout).toBe(before);
          expect((await run(sandbox, 'test -e ~/.bashrc')).exit_code).toBe(1);
        }
        await run(forks[0]?.sandbox ?? first.sandbox, 'echo mine >file');
        expect((await run(forks[1]?.sandbox ?? first.sandbox, 'cat file')).stdout).toBe('kept\n');
        expect((await run(first.sandbox, 'cat file')).stdout).toBe('changed\n');
      },
      60_000,
    );

    check(
      'takes snapshots of what was made from snapshots, which outlive those',
      async () => {
        const driver = engine.makeDriver();
        const installation = testInstallation();
        const first = await startTestSandbox({ driver, installation });
        await run(first.sandbox, 'echo 1 >one; echo 1 >changing; mkdir folder; echo 1 >folder/gone');
        const one = await take(driver, first.handle);
        const second = await startTestSandbox({ driver, installation, from: one });
        await run(second.sandbox, 'echo 2 >two; echo 2 >changing; rm -r folder; mkdir folder');
        await driver.pause(second.handle);
        const two = await take(driver, second.handle);
        // One that was paused stays so.
        await expect(second.sandbox.hello({ signal: AbortSignal.timeout(200) })).rejects.toBeDefined();
        const byId = ({ id }: { id: string }, other: { id: string }) => (id < other.id ? -1 : 1);
        expect((await driver.listSnapshots(installation)).sort(byId)).toEqual([one, two].sort(byId));
        await Promise.all([first.destroy(), second.destroy()]);
        await driver.removeSnapshot(one);
        const third = await startTestSandbox({ driver, installation, from: two });
        const { stdout } = await run(third.sandbox, 'cat one two changing; ls -A folder');
        expect(stdout).toBe('1\n2\n2\n');
        await driver.removeSnapshot(two);
        await driver.removeSnapshot(two);
        expect(await driver.listSnapshots(installation)).toEqual([]);
        expect((await run(third.sandbox, 'cat one')).stdout).toBe('1\n');
        await third.destroy();
      },
      60_000,
    );

    check('ends a snapshot whose sandbox is destroyed meanwhile, one way or the other', async () => {
      const driver = engine.makeDriver();
      const installation = testInstallation();
      const { handle } = await startTestSandbox({ driver, installation });
      const taken = driver.snapshot(handle).catch((error: Error) => error);
      await driver.destroy(handle);
      const snapshot = await taken;
      if (!(snapshot instanceof Error)) await driver.removeSnapshot(snapshot);
      expect(await driver.list(installation)).toEqual([]);
      expect(await driver.listSnapshots(installation)).toEqual([]);
    });

    check('says what is missing: the sandbox, or the snapshot', async () => {
      const driver = engine.makeDriver();
      const installation = testInstallation();
      const { handle } = await startTestSandbox({ driver, installation });
      const from = await driver.snapshot(handle);
      await driver.removeSnapshot(from);
      await driver.destroy(handle);
      for (const call of [driver.pause, driver.resume, driver.snapshot]) {
        await expect(call(handle)).rejects.toMatchObject({ code: 'SANDBOX_LOST' });
      }
      await expect(startTestSandbox({ driver, installation, from })).rejects.toMatchObject({
        code: 'SNAPSHOT_MISSING',
      });
      expect(await driver.list(installation)).toEqual([]);
      expect(await driver.listSnapshots(installation)).toEqual([]);
    });
  });
}
