import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { OciStore } from './store.ts';

const run = promisify(execFile);
const LIMIT_MS = 60_000;
/** Each takes a few megabytes; jobs mostly ask for the default. */
const KEPT = 8;
/** One file for so many bytes: package folders have small ones. */
const BYTES_PER_FILE = 8_192;

/**
 * A disk of so many mebibytes, to be copied, empty but for the two folders that an overlay wants: a sparse file with an ext4 in it, which is what limits a sandbox's
 * disk. It has no journal, since nobody reads a sandbox's disk after a crash of the machine. Making one takes four
 * times as long as copying it.
 * @throws what mkfs.ext4 says.
 */
export async function diskTemplate(store: OciStore, megabytes: number): Promise<string> {
  const folder = join(store.folder, 'disks');
  const file = join(folder, `overlay-${megabytes}-${store.firstUser}.img`);
  const there = await stat(file).catch(() => null);
  if (there) {
    if (Date.now() - there.mtimeMs > LIMIT_MS) await utimes(file, new Date(), new Date()).catch(() => {});
    return file;
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  const content = `${temporary}.d`;
  try {
    const root = join(content, 'upper');
    await mkdir(root, { recursive: true });
    await mkdir(join(content, 'work'));
    // The root of the sandbox's file system takes both from it.
    await chmod(root, 0o755);
    await chown(root, store.firstUser, store.firstUser);
    const options = [...mkfsOptions(store), '-d', content];
    await run('mkfs.ext4', [...options, temporary, `${megabytes}M`], { timeout: LIMIT_MS });
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
    await rm(content, { recursive: true, force: true });
  }
  await removeOld(folder);
  return file;
}

function mkfsOptions({ firstUser }: OciStore): string[] {
  const extended = `root_owner=${firstUser}:${firstUser},lazy_itable_init=1,nodiscard`;
  return ['-q', '-F', '-m', '0', '-i', `${BYTES_PER_FILE}`, '-O', '^has_journal', '-E', extended];
}

/** The least used ones go. A copy that is under way holds its file open and is not hurt. */
async function removeOld(folder: string): Promise<void> {
  const files = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => null);
      return { path: join(folder, name), used: found?.mtimeMs ?? 0 };
    }),
  );
  const old = files.sort((a, b) => b.used - a.used).slice(KEPT);
  await Promise.all(old.map(({ path }) => rm(path, { recursive: true, force: true })));
}
