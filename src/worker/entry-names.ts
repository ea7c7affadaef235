import { posix } from 'node:path';

/** What file systems take at most: a longer name could not be unpacked. Bytes of UTF-8. */
const LONGEST_PATH = 4_096;
const LONGEST_NAME = 255;

/** Why an entry of a sandbox's archive may not stand in a zip. */
export type NameFault = 'unsafe_name' | 'name_too_long' | 'duplicate';

/** Remembers the names given out so far, so that no entry can take another's place or lie below a link. */
export interface EntryNames {
  /** Claims the name, or says why it may not be had. */
  claim(path: string, type: 'file' | 'directory' | 'symlink'): NameFault | null;
}

/** The names of one zip, starting with those that are taken already. */
export function createEntryNames(reserved: string[]): EntryNames {
  const leaves = new Set<string>(reserved);
  const folders = new Set<string>(reserved.flatMap(ancestors));

  return {
    claim(path, type) {
      const fault = nameFault(path);
      if (fault) return fault;
      const above = ancestors(path);
      if (above.some((folder) => leaves.has(folder)) || leaves.has(path)) return 'duplicate';
      if (type !== 'directory' && folders.has(path)) return 'duplicate';
      for (const folder of above) folders.add(folder);
      (type === 'directory' ? folders : leaves).add(path);
      return null;
    },
  };
}

function nameFault(path: string): NameFault | null {
  const parts = path.split('/');
  const unsafe = parts.some((part) => part === '' || part === '.' || part === '..');
  // A backslash and a drive's colon part names on Windows, where a reader may unpack the zip.
  if (unsafe || /[\0\\]/.test(path) || /^[a-z]:/i.test(path)) return 'unsafe_name';
  if (Buffer.byteLength(path) > LONGEST_PATH) return 'name_too_long';
  if (parts.some((part) => Buffer.byteLength(part) > LONGEST_NAME)) return 'name_too_long';
  return null;
}

function ancestors(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

/**
 * Whether a symlink stays inside of the tree wherever it is unpacked. ".." may only stand at the start of the target,
 * where it climbs real folders: behind a name, which may be a link itself, it could climb out.
 */
export function linkStaysInside(path: string, target: string): boolean {
  if (target === '' || target.startsWith('/') || /[\0\\]/.test(target)) return false;
  if (Buffer.byteLength(target) > LONGEST_PATH) return false;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const climbs = parts.findIndex((part) => part !== '..');
  if (climbs >= 0 && parts.slice(climbs).includes('..')) return false;
  const end = posix.normalize(posix.join(posix.dirname(path), target));
  return end !== '..' && !end.startsWith('../');
}
