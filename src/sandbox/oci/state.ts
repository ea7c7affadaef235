import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { ListedSandbox, SandboxSpec } from '../driver.ts';
import {
  installationFolder,
  type OciStore,
  type SandboxPlace,
  sandboxesFolder,
  snapshotsFolder,
} from './store.ts';

/** A folder without its state is one that is being made; from this age on, one that nobody goes on making. */
const MAKING_MS = 60_000;

const State = z.object({ id: z.string(), worker: z.string(), image: z.string(), created: z.iso.datetime() });

/**
 * Makes a sandbox's folder, which nobody else then can.
 * @throws the file system's error; EEXIST where there is one of that id.
 */
export async function claimFolder({ folder }: SandboxPlace): Promise<void> {
  for (let tries = 0; ; tries++) {
    await mkdir(dirname(folder), { recursive: true, mode: 0o711 });
    try {
      await mkdir(folder, { mode: 0o711 });
      break;
    } catch (error) {
      // The installation's folder goes with its last sandbox, which may have been just now.
      if (!isMissing(error) || tries > 100) throw error;
    }
  }
}

/** Says in the folder what it is: from now on {@link listStates} tells of it. */
export async function writeState({ folder }: SandboxPlace, spec: SandboxSpec, image: string): Promise<void> {
  const state = { id: spec.id, worker: spec.worker, image, created: new Date().toISOString() };
  await writeFile(join(folder, 'state.json'), JSON.stringify(state), { mode: 0o600 });
}

/** What an installation has, whole or not. */
export async function listStates(
  store: OciStore,
  installation: string,
): Promise<Omit<ListedSandbox & { id: string }, 'handle'>[]> {
  const root = installationFolder(store, installation);
  const names = await namesIn(root);
  // A maker that died early has left it empty; one that is about to use it makes it again.
  if (names.length === 0) await rmdir(root).catch(() => {});
  const found = await Promise.all(
    names.map((name) => describeFolder(join(root, name), decodeURIComponent(name))),
  );
  return found.filter((state) => state !== null);
}

/** @throws the file system's error; ENOENT where the sandbox is gone. */
export async function readState({ folder }: SandboxPlace): Promise<z.infer<typeof State>> {
  return State.parse(JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')));
}

async function describeFolder(folder: string, id: string) {
  try {
    const text = await readFile(join(folder, 'state.json'), 'utf8');
    const { worker, created } = State.parse(JSON.parse(text));
    return { id, worker, created: new Date(created) };
  } catch {
    const made = await stat(folder).catch(() => null);
    if (made === null || Date.now() - made.mtimeMs < MAKING_MS) return null;
    return { id, worker: '', created: made.mtime };
  }
}

const Made = z.object({ image: z.string() });

/** Names of the images that sandboxes and snapshots of any installation were made from. */
export async function imagesInUse(store: OciStore): Promise<Set<string>> {
  const used = new Set<string>();
  for (const [root, file] of [
    [sandboxesFolder(store), 'state.json'],
    [snapshotsFolder(store), 'snapshot.json'],
  ] as const) {
    for (const installation of await namesIn(root)) {
      for (const name of await namesIn(join(root, installation))) {
        const text = await readFile(join(root, installation, name, file), 'utf8').catch(() => '{}');
        const made = Made.safeParse(JSON.parse(text));
        if (made.success) used.add(made.data.image);
      }
    }
  }
  return used;
}

/** The sandbox's first process as its maker noted it, seen from outside; null where it never came so far. */
export async function readPid({ folder }: SandboxPlace): Promise<number | null> {
  const text = await readFile(join(folder, 'pid'), 'latin1').catch(() => '');
  const pid = Number(text);
  return Number.isSafeInteger(pid) && pid > 1 ? pid : null;
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** What is in a folder; nothing where there is none. */
export async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });
}
