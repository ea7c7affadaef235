import { createWriteStream } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { linkStaysInside } from '../worker/entry-names.ts';

const TYPE_BITS = 0o170000;
const SYMLINK = 0o120000;
const DIRECTORY = 0o040000;

export interface Unpacked {
  /** Paths of the files and links, sorted. */
  paths: string[];
  /** Bytes of the files. */
  bytes: number;
}

/**
 * Unpacks a zip into a folder, which is emptied first. Links are made last, so that nothing is written through one;
 * one that leads out of the folder is not made.
 * @throws Error naming the entry when a name leads out of the folder or the zip is broken.
 */
export async function unpack(zipPath: string, folder: string): Promise<Unpacked> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const root = resolve(folder);
  const zip = await openPromise(zipPath, { autoClose: false, lazyEntries: true, strictFileNames: true });
  const links: { name: string; path: string; target: string }[] = [];
  const unpacked: Unpacked = { paths: [], bytes: 0 };
  const made = new Set<string>();
  async function makeFolder(path: string) {
    if (made.has(path)) return;
    await mkdir(path, { recursive: true });
    made.add(path);
  }
  try {
    for await (const entry of zip.eachEntry()) {
      const path = inside(root, entry.fileName);
      const mode = entry.externalFileAttributes >>> 16;
      if ((mode & TYPE_BITS) === SYMLINK) {
        const target = (await buffer(await zip.openReadStreamPromise(entry))).toString();
        links.push({ name: entry.fileName, path, target });
      } else if ((mode & TYPE_BITS) === DIRECTORY || entry.fileName.endsWith('/')) {
        await makeFolder(path);
        continue;
      } else {
        await makeFolder(dirname(path));
        await writeEntry(zip, entry, path, mode);
        unpacked.bytes += entry.uncompressedSize;
      }
      unpacked.paths.push(entry.fileName);
    }
    for (const { name, path, target } of links) {
      if (!linkStaysInside(name, target)) continue;
      await mkdir(dirname(path), { recursive: true });
      await symlink(target, path);
    }
  } finally {
    zip.close();
  }
  unpacked.paths.sort();
  return unpacked;
}

function inside(root: string, name: string): string {
  const path = resolve(join(root, name));
  if (!path.startsWith(root + sep))
    throw new Error(`The zip has an entry that leads out of its folder: "${name}"`);
  return path;
}

async function writeEntry(zip: ZipFile, entry: Entry, path: string, mode: number): Promise<void> {
  const permissions = mode & 0o100 ? 0o755 : 0o644;
  await pipeline(
    await zip.openReadStreamPromise(entry),
    createWriteStream(path, { flags: 'wx', mode: permissions }),
  );
}
