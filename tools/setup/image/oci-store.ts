import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ImageConfig } from '../../../src/sandbox/oci/images.ts';
import { imageFolder, type OciStore } from '../../../src/sandbox/oci/store.ts';
import { exitOf, failed } from '../program.ts';
import { shiftOwners } from './shift-owners.ts';

/** Folders of images that are being made. */
const TEMPORARY = '.new-';
/** What the engine that runs a container puts there, or mounts over. */
const NOT_OF_AN_IMAGE = ['./dev/*', './proc/*', './sys/*', './.dockerenv', './etc/mtab'].flatMap((path) => [
  path,
  path.slice(2),
]);

/** Makes an image of the store: whole, or not at all. */
export async function addImage(
  store: OciStore,
  name: string,
  make: (folder: string) => Promise<ImageConfig>,
): Promise<void> {
  const folder = imageFolder(store, name);
  const temporary = join(dirname(folder), `${TEMPORARY}${randomBytes(6).toString('hex')}`);
  // Those that map its users must be able to pass through, but not to look around.
  await mkdir(temporary, { recursive: true, mode: 0o711 });
  try {
    const config = await make(temporary);
    await writeFile(join(temporary, 'image.json'), JSON.stringify(config, null, 2));
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Removes what an earlier set-up left unfinished; for whoever holds the store's lock. */
export async function removeUnfinished(store: OciStore): Promise<void> {
  const folder = dirname(imageFolder(store, 'x'));
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(TEMPORARY))) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Unpacks an image's tarball, its owners shifted. The tarball is one that set-up or the operator's engine has made. */
export async function unpackInto(store: OciStore, tarball: Readable, rootfs: string): Promise<void> {
  await mkdir(rootfs, { mode: 0o755 });
  const argv = [
    'tar',
    '-xp',
    '--numeric-owner',
    // Else a name is left out wherever it stands: sys/cdefs.h, say.
    '--anchored',
    ...NOT_OF_AN_IMAGE.map((path) => `--exclude=${path}`),
    '-C',
    rootfs,
  ];
  const child = spawn('tar', argv.slice(1), { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said = `${said}${bytes}`.slice(-2_000);
  });
  const ended = exitOf(child, 'tar');
  const fed = pipeline(Readable.from(shiftOwners(tarball, store.firstUser)), child.stdin);
  const [end] = await Promise.all([ended, fed]).catch(async (error) => {
    tarball.destroy();
    // tar's own words explain a broken pipe.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return [await ended];
    throw error;
  });
  if (end !== 0) throw failed(argv, end ?? 1, [said]);
}

/** A file system of the store as a tarball, its owners as they are inside. */
export function packRootfs(store: OciStore, name: string): Readable {
  const rootfs = join(imageFolder(store, name), 'rootfs');
  const child = spawn('tar', ['-c', '--format=gnu', '--numeric-owner', '-C', rootfs, '.'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = exitOf(child, 'tar');
  async function* whole() {
    yield* shiftOwners(child.stdout, -store.firstUser);
    const end = await ended;
    if (end !== 0) throw failed(['tar', rootfs], end, []);
  }
  return Readable.from(whole());
}
