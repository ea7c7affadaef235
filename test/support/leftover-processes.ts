import { readdir, readFile } from 'node:fs/promises';
import { runPrefix } from './run-id.ts';

interface Found {
  pid: number;
  parent: number;
  command: string;
  /** Whether its environment is that of this run. */
  ours: boolean;
}

/** Programs that this run has started and that have lost their parents: nobody ends them any more. */
export async function leftoverProcesses(): Promise<string[]> {
  const mark = `\0TEST_RUN=${runPrefix().split('-')[1]}\0`;
  const pids = (await readdir('/proc').catch(() => [])).map(Number).filter((pid) => pid > 0);
  const found = new Map<number, Found>();
  for (const one of await Promise.all(pids.map((pid) => look(pid, mark)))) if (one) found.set(one.pid, one);
  const isChild = ({ pid, parent }: Found): boolean => {
    if (pid === process.pid) return true;
    const above = found.get(parent);
    return above !== undefined && isChild(above);
  };
  return [...found.values()]
    .filter((one) => one.ours && !isChild(one))
    .map(({ pid, command }) => `process ${pid} (${command.slice(0, 200)})`);
}

/** Null for one that has ended meanwhile. */
async function look(pid: number, mark: string): Promise<Found | null> {
  try {
    const [environment, command, stat] = await Promise.all(
      ['environ', 'cmdline', 'stat'].map((file) => readFile(`/proc/${pid}/${file}`, 'latin1')),
    );
    // The name in parentheses may hold anything; the parent is the second field after it (proc_pid_stat(5)).
    const parent = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return {
      pid,
      parent,
      command: command?.replaceAll('\0', ' ').trim() ?? '',
      ours: `\0${environment}`.includes(mark),
    };
  } catch {
    return null;
  }
}
