import { readFile } from 'node:fs/promises';
import { connectSandbox } from '../src/sandbox/connection/connect-sandbox.ts';
import type { SandboxHandle } from '../src/sandbox/driver.ts';
import { processesIn } from '../src/sandbox/oci/cgroup.ts';
import { sandboxPlace } from '../src/sandbox/oci/store.ts';
import { benchOptions, benchSpec, store } from './engine.ts';
import { type Row, row } from './row.ts';

const SANDBOXES = Number(process.env.IDLE_SANDBOXES ?? 300);
const AT_ONCE = 4;

/** Sandboxes of the engine oci that live at once, each asked once that it answers: what each of them costs. */
export async function sandboxIdle(): Promise<Row[]> {
  const { driver } = await benchOptions('oci');
  const free = await available();
  const handles: SandboxHandle[] = [];
  const starts: number[] = [];
  try {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (handles.length < SANDBOXES) {
          const began = performance.now();
          const spec = benchSpec();
          const handle = { driver: driver.name, id: spec.id, ref: spec.installation };
          handles.push(handle);
          await driver.create(spec);
          const sandbox = await connectSandbox(driver, handle, { egress: (channel) => channel.destroy() });
          await sandbox.hello();
          await sandbox.close();
          starts.push(performance.now() - began);
        }
      }),
    );
    const memory = await Promise.all(handles.map(proportionalMb));
    const whole = (free - (await available())) / handles.length;
    return [
      row(`${SANDBOXES} idle sandboxes, oci: memory of one`, memory, 'MB', 'PSS of its processes;'),
      row(
        `${SANDBOXES} idle sandboxes, oci: of the machine`,
        [whole],
        'MB',
        'a share of all, the kernel included;',
      ),
      row(`${SANDBOXES} idle sandboxes, oci: the last start`, starts.slice(-30), 'ms', `${AT_ONCE} at once;`),
    ];
  } finally {
    for (const handle of handles) await driver.destroy(handle);
  }
}

/** Memory of a sandbox's processes, what they share with others divided among all. */
async function proportionalMb({ ref, id }: SandboxHandle): Promise<number> {
  const pids = await processesIn(sandboxPlace(store, ref, id).cgroup);
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => '');
      return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0);
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0) / 1_024;
}

async function available(): Promise<number> {
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(await readFile('/proc/meminfo', 'latin1'))?.[1]) / 1_024;
}
