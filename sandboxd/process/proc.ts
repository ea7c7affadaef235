import { readdirSync, readFileSync } from 'node:fs';
import { MARK } from './environment.ts';

/** A living process, as /proc tells. */
export interface Found {
  pid: number;
  parent: number;
  session: number;
  /** When it was started, in clock ticks since boot. */
  start: number;
}

/** Linux counts time for programs in hundredths of a second on every architecture. */
const TICKS_PER_S = 100;

/** Now, on the clock of {@link Found.start}. */
export function nowTicks(): number {
  return Math.floor(Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * TICKS_PER_S);
}

/** Every process that can be seen. */
export interface Processes {
  living: Found[];
  /** Numbers of those that wait to be reaped, or ended while this looked. */
  ended: number[];
}

export function allProcesses(): Processes {
  const processes: Processes = { living: [], ended: [] };
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!(pid > 0)) continue;
    const found = readStat(pid);
    if (found) processes.living.push(found);
    else processes.ended.push(pid);
  }
  return processes;
}

/** Null of one that has ended. */
function readStat(pid: number): Found | null {
  const stat = read(`/proc/${pid}/stat`)?.toString('latin1');
  if (!stat) return null;
  // The name before it may hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  return { pid, parent: Number(fields[1]), session: Number(fields[3]), start: Number(fields[19]) };
}

/** The mark that a process was started with: that of its call, unless it took pains to lose it. */
export function readMark(pid: number): string | null {
  const environ = read(`/proc/${pid}/environ`);
  if (!environ) return null;
  const key = `${MARK}=`;
  let at = environ.indexOf(key);
  while (at > 0 && environ[at - 1] !== 0) at = environ.indexOf(key, at + 1);
  if (at < 0) return null;
  const end = environ.indexOf(0, at);
  return environ.toString('latin1', at + key.length, end < 0 ? undefined : end);
}

function read(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    // It ended in the meantime, or belongs to somebody else.
    return null;
  }
}
