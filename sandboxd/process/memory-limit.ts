import { readFileSync, writeFileSync } from 'node:fs';

/** Where a container sees its own cgroup: version 2, then version 1. */
const COUNTERS = ['/sys/fs/cgroup/memory.events', '/sys/fs/cgroup/memory/memory.oom_control'];
const SCORE = '/proc/self/oom_score_adj';
const MAX_SCORE = 1_000;
const RAISE = 500;

/** How many processes the memory limit has killed so far; 0 where the kernel does not tell. */
export function memoryKills(): number {
  for (const file of COUNTERS) {
    const kills = read(file);
    if (kills !== null) return Number(/^oom_kill (\d+)$/m.exec(kills)?.[1] ?? 0);
  }
  return 0;
}

/**
 * Starts a child that goes before sandboxd when memory runs out. A child inherits the score that its parent has at
 * that moment; setting it afterwards would leave out what the child had started by then.
 */
export function asFirstToGo<T>(start: () => T): T {
  const own = Number(read(SCORE) ?? 0);
  write(SCORE, Math.min(MAX_SCORE, own + RAISE));
  try {
    return start();
  } finally {
    write(SCORE, own);
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return null;
  }
}

function write(file: string, value: number): void {
  try {
    writeFileSync(file, `${value}`);
  } catch {
    // Where it cannot be set, the kernel chooses by size alone.
  }
}
