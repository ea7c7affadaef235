import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { sandboxPlace, snapshotFolder } from '../../src/sandbox/oci/store.ts';
import { reconcile } from '../../src/sandbox/reconcile.ts';
import { silent, testDriver, testStore } from '../support/engines.ts';
import { testInstallation } from '../support/run-id.ts';
import { testSpec } from '../support/sandbox.ts';

const able = process.platform === 'linux' && process.getuid?.() === 0;
const MAKER = join(import.meta.dirname, 'oci-maker.ts');

/** Starts to make a sandbox in a process of its own, and kills that so long after it said this. */
async function killedMaker(spec: object, mode: string, said: string, ms: number): Promise<void> {
  const child = spawn(process.execPath, [MAKER, JSON.stringify(spec), mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) if (line === said) break;
  await delay(ms);
  child.kill('SIGKILL');
  await exited;
}

/** Traces of a sandbox: its folder, its groups, its mounts wherever, loop devices of its disk. */
async function traces(installation: string, id: string): Promise<string[]> {
  const { folder, cgroup } = sandboxPlace(testStore(), installation, id);
  const groups = await readdir('/sys/fs/cgroup');
  const found = await Promise.all(
    [folder, ...[...groups, '.'].map((name) => join('/sys/fs/cgroup', name, cgroup))].map((path) =>
      readdir(path).then(
        () => [path],
        () => [],
      ),
    ),
  );
  const loops = (await readdir('/sys/block')).filter((name) => name.startsWith('loop'));
  const files = await Promise.all(
    loops.map((name) => readFile(`/sys/block/${name}/loop/backing_file`, 'utf8').catch(() => '')),
  );
  return [...found.flat(), ...files.filter((file) => file.includes(folder))];
}

describe.skipIf(!able)(
  'a worker that is killed',
  { meta: { reason: 'the driver oci needs Linux and root' } },
  () => {
    const cleanUp = (installation: string) =>
      reconcile(testDriver('oci'), {
        installation,
        worker: 'next',
        liveWorkers: async () => new Set(['next']),
        isKept: () => false,
        log: silent,
      });

    it.each([
      ...[0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 100, 130].map((ms) => ['', 'begins', ms] as const),
      ...[0, 200].map((ms) => ['', 'made', ms] as const),
      ...[0, 10, 30].map((ms) => ['snapshot', 'made', ms] as const),
    ])('leaves nothing for good, killed at "%s" %s + %i ms', async (mode, said, ms) => {
      const installation = testInstallation();
      const spec = testSpec({ installation, worker: 'killed' });
      await killedMaker(spec, mode, said, ms);
      // A folder without its state counts as left behind when it is old.
      const { folder } = sandboxPlace(testStore(), installation, spec.id);
      await utimes(folder, 0, 0).catch(() => {});
      const snapshots = dirname(snapshotFolder(testStore(), installation, 'x'));
      await vi.waitFor(async () => {
        for (const name of await readdir(snapshots).catch(() => []))
          await utimes(join(snapshots, name), 0, 0);
        await cleanUp(installation);
        expect(await traces(installation, spec.id)).toEqual([]);
      }, 10_000);
      const driver = testDriver('oci');
      // What was whole by then is a snapshot like any other.
      for (const snapshot of await driver.listSnapshots(installation)) await driver.removeSnapshot(snapshot);
      await expect(readdir(snapshots)).rejects.toMatchObject({ code: 'ENOENT' });
    });
  },
);
