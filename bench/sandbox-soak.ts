import { readdir, readFile } from 'node:fs/promises';
import { installationFolder, sandboxPlace } from '../src/sandbox/oci/store.ts';
import { benchOptions, benchSpec, store } from './engine.ts';
import { type Row, row } from './row.ts';

const SANDBOXES = Number(process.env.SOAK_SANDBOXES ?? 1_000);

/** Sandboxes of the engine oci, one after another, from the order to a connection to their gone: nothing may be left. */
export async function sandboxSoak(): Promise<Row[]> {
  const { driver } = await benchOptions('oci');
  const before = await traces();
  const times: number[] = [];
  for (let i = 0; i < SANDBOXES; i++) {
    const began = performance.now();
    const handle = await driver.create(benchSpec());
    const stream = await driver.connect(handle, 'api');
    stream.on('error', () => {}).destroy();
    await driver.destroy(handle);
    times.push(performance.now() - began);
  }
  const after = await traces();
  if (JSON.stringify(after) !== JSON.stringify(before)) {
    throw new Error(
      `Expected what there was before, ${JSON.stringify(before)}; found ${JSON.stringify(after)}`,
    );
  }
  const half = Math.ceil(times.length / 2);
  // Halves, since this machine has slow minutes of its own.
  return [
    row(`${SANDBOXES} sandboxes, oci: the first half`, times.slice(0, half), 'ms', 'made, connected, gone;'),
    row(`${SANDBOXES} sandboxes, oci: the second half`, times.slice(half), 'ms', 'nothing left of any;'),
  ];
}

/** What our sandboxes could leave on the machine. */
async function traces() {
  const { installation, id } = benchSpec();
  const { cgroup } = sandboxPlace(store, installation, id);
  const mounts = await readFile('/proc/self/mountinfo', 'latin1');
  const loops = (await readdir('/sys/block')).filter((name) => name.startsWith('loop'));
  const files = await Promise.all(
    loops.map((name) => readFile(`/sys/block/${name}/loop/backing_file`, 'latin1').catch(() => '')),
  );
  const ours = installationFolder(store, installation);
  return {
    folders: await readdir(ours).catch(() => []),
    disks: files.filter((file) => file.includes(ours)),
    mounts: mounts.split('\n').filter((line) => line.includes(ours)),
    // Others may have sandboxes of their own meanwhile.
    group: await readdir(cgroup).catch(() => []),
  };
}
