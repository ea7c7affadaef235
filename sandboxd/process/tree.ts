import { setTimeout as delay } from 'node:timers/promises';
import { allProcesses, type Found, readMark } from './proc.ts';

/**
 * What belongs to one call: tells of a process on its own whether it does (`true`), certainly does not (`false`),
 * or goes with its parent (`null`).
 */
export type Belongs = (found: Found, mark: () => string | null) => boolean | null;

const POLL_MS = 10;
/** Time for a process to end in order, before it is killed. */
const GRACE_MS = 500;
/** A process in an endless system call cannot be killed; its call must come back all the same. */
const KILL_MS = 10_000;
/** On a machine where processes end all the time. */
const MOST_LOOKS = 10;
const INIT = 1;

/** A started process, all its descendants, and what these left to init: told by session, parent and mark. */
export function treeOf(id: string, pid: number, startedTicks: number): Belongs {
  return (found, mark) => {
    if (found.start < startedTicks) return false;
    if (found.pid === pid || found.session === pid) return true;
    return mark() === id ? true : null;
  };
}

/** The living processes of a tree. */
export function membersOf(belongs: Belongs, { living } = allProcesses()): number[] {
  const all = new Map(living.map((found) => [found.pid, found]));
  const verdicts = new Map<number, boolean>([
    [INIT, false],
    [process.pid, false],
  ]);
  function decide(found: Found): boolean {
    const known = verdicts.get(found.pid);
    if (known !== undefined) return known;
    // Until it is known: a parent that was reused cannot lead in a circle.
    verdicts.set(found.pid, false);
    const parent = all.get(found.parent);
    const verdict = belongs(found, () => readMark(found.pid)) ?? (parent ? decide(parent) : false);
    verdicts.set(found.pid, verdict);
    return verdict;
  }
  return [...all.values()].filter(decide).map(({ pid }) => pid);
}

export function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
  }
}

/** Ends every process of a tree: first asked, then killed. Resolves when none is left. */
export async function endTree(belongs: Belongs): Promise<void> {
  const asked = membersOf(belongs);
  signalAll(asked, 'SIGTERM');
  // A stopped process takes no signal but SIGKILL.
  signalAll(asked, 'SIGCONT');
  for (const until = performance.now() + GRACE_MS; performance.now() < until; await delay(POLL_MS)) {
    if (membersOf(belongs).length === 0) break;
  }
  // Looks closer, and ends whatever is left.
  await killTree(belongs);
}

/** Kills every process of a tree. Resolves when none is left. */
export async function killTree(belongs: Belongs): Promise<void> {
  for (const until = performance.now() + KILL_MS; performance.now() < until; await delay(POLL_MS)) {
    const members = freeze(belongs);
    if (members.length === 0) return;
    signalAll(members, 'SIGKILL');
  }
}

/**
 * Stops them all before any is killed: otherwise one that starts others all the time stays a step ahead. One that ended
 * while this looked may have left a child that was not to be seen yet, so this looks again.
 */
function freeze(belongs: Belongs): number[] {
  const stopped = new Set<number>();
  let known = new Set<number>();
  for (let looks = 1; ; looks++) {
    const processes = allProcesses();
    const members = membersOf(belongs, processes);
    const running = members.filter((pid) => !stopped.has(pid));
    const sure = processes.ended.every((pid) => known.has(pid)) || looks > MOST_LOOKS;
    if (running.length === 0 && sure) return members;
    signalAll(running, 'SIGSTOP');
    for (const pid of running) stopped.add(pid);
    known = new Set(processes.ended);
  }
}
