import type { Sandbox } from '../src/sandbox/sandbox.ts';
import { withSandbox } from './engine.ts';
import { type Row, row, timed } from './row.ts';

const RUNS = 300;
const STARTS = 5;
const SPECS = { Python: 'python', TypeScript: 'typescript' } as const;

/** A kernel's `1+1` from call to end, against a command of the lasting shell; the first call, which starts it; memory. */
export function kernel(): Promise<Row[]> {
  return withSandbox(async ({ sandbox }) => {
    const rows: Row[] = [];
    const shell: number[] = [];
    await sandbox.shell({ command: 'true' });
    for (let i = 0; i < RUNS; i++) shell.push(await timed(() => sandbox.shell({ command: 'true' })));
    for (const [language, spec] of Object.entries(SPECS)) {
      const starts: number[] = [];
      for (let i = 0; i < STARTS; i++) {
        starts.push(await timed(() => sandbox.kernels.run({ spec, code: '1+1' })));
        if (i < STARTS - 1) await sandbox.kernels.stop(spec);
      }
      const calls: number[] = [];
      for (let i = 0; i < RUNS; i++)
        calls.push(await timed(() => sandbox.kernels.run({ spec, code: '1+1' })));
      rows.push(
        row(`${language} kernel, 1+1`, calls, 'ms', 'call to end, lasting kernel;'),
        row(`${language} kernel, first 1+1`, starts, 'ms', 'its start included;'),
        row(`${language} kernel, memory`, [await ownMemory(sandbox, spec)], 'MB', 'of its own, idle;'),
      );
    }
    return [...rows, row('shell true', shell, 'ms', 'a command of the lasting shell, to compare;')];
  });
}

/** What the kernel's process alone holds, in megabytes: pages that it shares with others do not count. */
async function ownMemory(sandbox: Sandbox, name: string): Promise<number> {
  const { kernels } = await sandbox.kernels.list();
  const pid = kernels.find((each) => each.name === name)?.pid;
  let printed = '';
  await sandbox.exec(
    { argv: ['cat', `/proc/${pid}/status`] },
    {
      onOutput: (_stream, bytes) => {
        printed += bytes.toString();
      },
    },
  );
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(printed)?.[1]) / 1_000;
}
