import { readFile } from 'node:fs/promises';

/** Whether a process of that id is there, whoever's it is; one that has ended and is not reaped counts as there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * When a process started, in ticks since the system did: with its id it names one process for good, since ids come
 * again. Null where /proc does not tell, and of a process that has ended and waits for a parent that reaps it, which
 * in a container may never come.
 */
export async function startTime(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // The name, in parentheses, may hold spaces and parentheses of its own.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? null : (fields[19] ?? null);
}

/** Waits until `condition` holds, looking every 10 ms at first and every 100 ms later; false when time is up. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  for (let wait = 10; ; wait = Math.min(100, wait * 1.5)) {
    if (await condition()) return true;
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
