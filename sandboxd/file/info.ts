import type { Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import type { FileInfo } from '../../src/protocol/sandboxd.ts';

type Kinds = Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket'>;

const MODE_BITS = 0o7777;
/** The years 1 to 9999: a file may claim any time, a date on the wire may not. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_000;

/** What there is at a path, symlinks not followed. */
export async function fileInfo(path: string): Promise<FileInfo> {
  const stats = await lstat(path);
  return infoOf(path, stats, stats.isSymbolicLink() ? await readlink(path) : null);
}

export function infoOf(path: string, stats: Stats, target: string | null = null): FileInfo {
  return {
    path,
    type: typeOf(stats),
    size: stats.size,
    mode: stats.mode & MODE_BITS,
    modified: modified(stats),
    target,
  };
}

export function modified(stats: Stats): string {
  return new Date(Math.min(Math.max(stats.mtimeMs, FIRST_MS), LAST_MS)).toISOString();
}

/** Of what was asked for by its path, or found in a folder. */
export function typeOf(stats: Kinds): FileInfo['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  return stats.isSocket() ? 'socket' : 'device';
}
