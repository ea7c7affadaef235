import { readFileSync } from 'node:fs';

const WANTED = 65_536;

/** Files that a process of a sandbox may have open: no more than this process itself may, where it cannot raise that. */
export function openFilesLimit(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  return hard === undefined || hard === 'unlimited' ? WANTED : Math.min(WANTED, Number(hard));
}
