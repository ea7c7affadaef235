import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from './processes.ts';

/** What PostgreSQL's `postmaster.pid` tells of the server on a data folder. */
export interface Postmaster {
  pid: number;
  port: number;
  socketFolder: string;
  /** Whether it takes connections: the file's own word. */
  ready: boolean;
}

/** What the file of a data folder says; null when there is none, or it is not written to its end yet. */
export async function readPostmaster(folder: string): Promise<Postmaster | null> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => null);
  const [pid, , , port, socketFolder, , , status] = text?.split('\n') ?? [];
  if (!pid || !port || !socketFolder) return null;
  return { pid: Number(pid), port: Number(port), socketFolder, ready: status?.trim() === 'ready' };
}

/** Whether a process is the server of that data folder, not one that was given its id since. */
export async function isPostmasterOf(pid: number, folder: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  // The server works in its data folder.
  const cwd = await stat(`/proc/${pid}/cwd`).catch(() => null);
  const own = await stat(folder);
  return cwd !== null && cwd.dev === own.dev && cwd.ino === own.ino;
}
