import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isMissing } from './state.ts';

const PAUSE_MS = 2;
/** How long processes may take to end after SIGKILL, or to stand still: those that write to a slow disk take long. */
const GIVE_UP_MS = 30_000;

/** A hierarchy of control groups that is mounted: the one of version 2, or one of several of version 1. */
interface Hierarchy {
  folder: string;
  version: 1 | 2;
  /** Version 1: what it controls. */
  controllers: string[];
}

/** The hierarchies of this machine: version 2 alone, version 1, or (hybrid) both beside each other. */
export async function hierarchies(): Promise<Hierarchy[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.flatMap((line) => {
    const fields = line.split(' ');
    const dash = fields.indexOf('-');
    const [type, , options = ''] = fields.slice(dash + 1);
    const folder = fields[4] ?? '';
    if ((type !== 'cgroup' && type !== 'cgroup2') || !folder.startsWith('/sys/fs/cgroup')) return [];
    return [
      { folder, version: type === 'cgroup2' ? (2 as const) : (1 as const), controllers: options.split(',') },
    ];
  });
}

/** Whether the kernel counts swap against a limit. */
export async function countsSwap(): Promise<boolean> {
  const memory = (await hierarchies()).find(({ controllers }) => controllers.includes('memory'));
  // Of version 2 only groups below the first have the file; kernels that have version 2 count it.
  if (!memory) return true;
  return (await readdir(memory.folder)).includes('memory.memsw.limit_in_bytes');
}

/** The processes in a group, by their ids outside. */
export async function processesIn(cgroup: string): Promise<number[]> {
  const found = new Set<number>();
  for (const { folder } of await hierarchies()) {
    const text = await readFile(join(folder, cgroup, 'cgroup.procs'), 'latin1').catch(ifMissing(''));
    for (const line of text.split('\n')) if (Number(line) > 1) found.add(Number(line));
  }
  return [...found];
}

/** Ends every process in a group and removes it. Of one that is gone already: no error. */
export async function removeGroup(cgroup: string): Promise<void> {
  await setFrozen(cgroup, 'thawed').catch(ifMissing(undefined));
  const end = Date.now() + GIVE_UP_MS;
  for (;;) {
    const left = await processesIn(cgroup);
    if (left.length === 0) break;
    if (Date.now() > end) throw new Error(`processes that do not end: ${left.join(', ')}`);
    for (const pid of left) kill(pid);
    await wait(PAUSE_MS);
  }
  for (const { folder } of await hierarchies()) {
    for (;;) {
      const error = await rmdir(join(folder, cgroup)).then(
        () => null,
        (failure: unknown) => failure,
      );
      if (error === null || isMissing(error)) break;
      // What has just ended is counted for a moment longer.
      if (Date.now() > end) throw error;
      await wait(PAUSE_MS);
    }
  }
}

/** How a group is stopped where it stands: what is written where, and what is read where once it has happened. */
interface Freezer {
  file: string;
  told: string;
  frozen: State;
  thawed: State;
}
interface State {
  word: string;
  reached: string;
}

export async function freezerOf(cgroup: string): Promise<Freezer> {
  const all = await hierarchies();
  const old = all.find(({ controllers }) => controllers.includes('freezer'));
  if (old) {
    const file = join(old.folder, cgroup, 'freezer.state');
    const [frozen, thawed] = ['FROZEN', 'THAWED'].map((word) => ({ word, reached: word })) as [State, State];
    return { file, told: file, frozen, thawed };
  }
  const folder = join(all[0]?.folder ?? '', cgroup);
  return {
    file: join(folder, 'cgroup.freeze'),
    told: join(folder, 'cgroup.events'),
    frozen: { word: '1', reached: 'frozen 1' },
    thawed: { word: '0', reached: 'frozen 0' },
  };
}

/** @throws the file system's error; ENOENT where there is no such group. */
export async function isFrozen(cgroup: string): Promise<boolean> {
  const { told, frozen } = await freezerOf(cgroup);
  return (await readFile(told, 'latin1')).includes(frozen.reached);
}

/**
 * Stops every process of a group where it stands, or lets them go on; returns when they do.
 * @throws the file system's error; ENOENT where there is no such group.
 */
export async function setFrozen(cgroup: string, wanted: 'frozen' | 'thawed'): Promise<void> {
  const freezer = await freezerOf(cgroup);
  const end = Date.now() + GIVE_UP_MS;
  await writeFile(freezer.file, freezer[wanted].word);
  while (!(await readFile(freezer.told, 'latin1')).includes(freezer[wanted].reached)) {
    if (Date.now() > end) throw new Error(`the group ${cgroup} does not become ${wanted}`);
    await wait(PAUSE_MS);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

const ifMissing =
  <T>(otherwise: T) =>
  (error: unknown): T => {
    if (isMissing(error) || (error instanceof Error && 'code' in error && error.code === 'ENODEV'))
      return otherwise;
    throw error;
  };
