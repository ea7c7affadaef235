import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { newId } from '../../protocol/ids.ts';
import { ServerRunning } from './embedded-error.ts';
import { isAlive, startTime } from './processes.ts';

const Holder = z.object({ pid: z.int(), started: z.string().nullable() });
type Holder = z.infer<typeof Holder>;

/**
 * Makes this process the only server on a data folder, by the file `server.lock` with its process id. The lock of a
 * process that is gone, even one that was killed and whose id was given again, counts as none.
 * @returns how to give it up.
 * @throws ServerRunning naming the process that has it.
 */
export async function lockData(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, 'server.lock');
  const own = `${path}.${newId()}`;
  const text = JSON.stringify({ pid: process.pid, started: await startTime(process.pid) });
  await writeFile(own, text, { flag: 'wx', mode: 0o600 });
  try {
    while (!(await take(own, path))) await removeStale(dataDir, path);
  } finally {
    await rm(own, { force: true });
  }
  return async () => {
    if ((await read(path)) === text) await rm(path, { force: true });
  };
}

/** A link is there with its whole content or not at all. */
async function take(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** @throws ServerRunning when the lock's holder is alive. */
async function removeStale(dataDir: string, path: string): Promise<void> {
  const found = await read(path);
  if (found === null) return;
  const holder = parse(found);
  if (holder && (await holds(holder))) {
    throw new ServerRunning(
      `expected no other server on ${dataDir}; process ${holder.pid} is one. Stop it first, or set another DATA_DIR.`,
    );
  }
  // Of two that find it stale, one takes it away; what it took is looked at again, lest it be the other's new lock.
  const aside = `${path}.${newId()}`;
  await rename(path, aside).catch(() => {});
  const taken = await read(aside);
  if (taken !== null && taken !== found) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

async function holds({ pid, started }: Holder): Promise<boolean> {
  if (pid === process.pid || !isAlive(pid)) return pid === process.pid && (await startTime(pid)) === started;
  return started === null || (await startTime(pid)) === started;
}

function parse(text: string): Holder | null {
  try {
    return Holder.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

const read = (path: string) => readFile(path, 'utf8').catch(() => null);
