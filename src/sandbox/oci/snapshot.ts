import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { freezerOf, isFrozen } from './cgroup.ts';
import { namesIn, readPid, readState } from './state.ts';
import { type OciStore, type SandboxPlace, snapshotFolder } from './store.ts';

/** The longest that copying a disk may take. */
const LIMIT_MS = 600_000;
/** Looks, 5 ms apart, whether a sandbox has stopped; one that is being removed never does. */
const TRIES = 2_000;
const TEMPORARY = '.new-';
const DISK = /^\d+\.img$/;

const Snapshot = z.object({ image: z.string() });

/**
 * Runs to its end even where the worker is killed meanwhile, so that the sandbox never stays stopped for it. What is
 * copied is a whole disk, not its files: nothing of the sandbox's is read by name. Its marks of a disk in use are mended.
 */
const SCRIPT = `
set -e
go_on() { [ -n "$STAYS" ] || echo "$THAWED" >"$FREEZE"; }
trap go_on EXIT
echo "$FROZEN" >"$FREEZE"
tries=0
until grep -qsx "$REACHED" "$TOLD"; do
  tries=$((tries + 1))
  if [ ! -e "$TOLD" ] || [ "$tries" -gt "$TRIES" ]; then echo 'it did not stop' >&2; exit 1; fi
  sleep 0.005
done
sync --file-system "$ROOT"
cp --sparse=always --reflink=auto -- "$DISK" "$NEW/0.img"
trap - EXIT
go_on
e2fsck -fy "$NEW/0.img" >"$NEW/e2fsck.log" 2>&1 || [ $? -lt 4 ]
mv --no-target-directory "$NEW" "$FINAL"
`;

/**
 * Keeps a sandbox's disk, with what lies below it, under a new id.
 * @throws Error ENOENT where the sandbox is gone; what failed otherwise. Nothing is left then.
 */
export async function takeSnapshot(
  store: OciStore,
  installation: string,
  place: SandboxPlace,
  id: string,
): Promise<void> {
  const final = snapshotFolder(store, installation, id);
  const temporary = join(dirname(final), `${TEMPORARY}${randomBytes(6).toString('hex')}`);
  const stays = await isFrozen(place.cgroup);
  const { image } = await readState(place);
  const { file, told, frozen, thawed } = await freezerOf(place.cgroup);
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  try {
    await writeFile(join(temporary, 'snapshot.json'), JSON.stringify({ image }));
    await linkDisks(place.folder, temporary, 1);
    const env = {
      PATH: process.env.PATH,
      STAYS: stays ? 'yes' : '',
      FREEZE: file,
      TOLD: told,
      FROZEN: frozen.word,
      REACHED: frozen.reached,
      THAWED: thawed.word,
      ROOT: `/proc/${await readPid(place)}/root`,
      DISK: join(place.folder, 'disk.img'),
      TRIES: `${TRIES}`,
      NEW: temporary,
      FINAL: final,
    };
    await promisify(execFile)('setsid', ['--wait', 'sh', '-c', SCRIPT], { env, timeout: LIMIT_MS });
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await rmdir(dirname(final)).catch(() => {});
  }
}

/**
 * Puts a snapshot's disks below the one of a sandbox that is being made; they are shared, and stay when it goes.
 * @returns its image, and the names of its disks, the newest first; null where there is no such snapshot.
 */
export async function useSnapshot(
  store: OciStore,
  { ref, id }: { ref: string; id: string },
  place: SandboxPlace,
): Promise<{ image: string; below: string[] } | null> {
  const folder = snapshotFolder(store, ref, id);
  const text = await readFile(join(folder, 'snapshot.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  const count = await linkDisks(folder, place.folder, 0);
  return { ...Snapshot.parse(JSON.parse(text)), below: Array.from({ length: count }, (_, i) => `${i}`) };
}

export async function listSnapshots(store: OciStore, installation: string): Promise<string[]> {
  const names = await namesIn(dirname(snapshotFolder(store, installation, 'x')));
  return names.filter((name) => !name.startsWith(TEMPORARY)).map((name) => decodeURIComponent(name));
}

/** Removes what is left of snapshots whose maker was killed, once nobody can be at it any more. */
export async function removeUnfinishedSnapshots(store: OciStore, installation: string): Promise<void> {
  const folder = dirname(snapshotFolder(store, installation, 'x'));
  const unfinished = (await namesIn(folder)).filter((name) => name.startsWith(TEMPORARY));
  for (const path of unfinished.map((name) => join(folder, name))) {
    const made = await stat(path).catch(() => null);
    if (made && Date.now() - made.mtimeMs > LIMIT_MS) await rm(path, { recursive: true, force: true });
  }
  if (unfinished.length > 0) await rmdir(folder).catch(() => {});
}

export async function removeSnapshot(store: OciStore, installation: string, id: string): Promise<void> {
  const folder = snapshotFolder(store, installation, id);
  await rm(folder, { recursive: true, force: true });
  // The installation's folder goes with its last snapshot.
  await rmdir(dirname(folder)).catch(() => {});
}

/** Gives the numbered disks of a folder another name in another folder, counted up by so many; how many there are. */
async function linkDisks(from: string, to: string, by: number): Promise<number> {
  const disks = (await readdir(from)).filter((name) => DISK.test(name));
  for (const name of disks) await link(join(from, name), join(to, `${Number.parseInt(name, 10) + by}.img`));
  return disks.length;
}
