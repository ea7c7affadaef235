import type { Readable } from 'node:stream';
import { type Entry, openPromise, validateFileName, type ZipFile } from 'yauzl';
import { CodedError } from '../../protocol/errors.ts';
import { type ListedFile, type Listing, MAX_ENTRIES } from './listing.ts';

const MAX_TARGET_BYTES = 4_096;
const FILE_TYPE = 0o170000;
const SYMLINK = 0o120000;

export type Kept = { kind: 'folder'; listing: Listing } | { kind: 'file'; info: ListedFile; bytes: Readable };

/**
 * What the kept output has at a path: a folder's entries, or a file's bytes, streamed out of the zip; nothing is
 * unpacked. Entries whose names lead out of the zip are passed over, symlinks are told and not followed.
 * The caller must read or destroy `bytes`.
 * @param maxBytes most bytes that a file may unpack to.
 * @throws CodedError FILE_NOT_FOUND, NOT_A_FILE, OUTPUT_EXPIRED.
 */
export async function readKept(zipPath: string, path: string, maxBytes: number): Promise<Kept> {
  const zip = await openZip(zipPath);
  try {
    const found = await find(zip, path);
    if (found.file) {
      const bytes = await openFile(zip, found.file, maxBytes);
      const kept = { kind: 'file' as const, info: infoOf(found.file, path), bytes };
      bytes.once('close', () => zip.close());
      return kept;
    }
    if (path !== '' && found.entries.size === 0 && !found.exists) {
      throw new CodedError('FILE_NOT_FOUND', `there is no "${path}" in the kept output`);
    }
    const listing = await listingOf(zip, path, found.entries);
    zip.close();
    return { kind: 'folder', listing };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function openZip(zipPath: string): Promise<ZipFile> {
  try {
    return await openPromise(zipPath, { autoClose: false, decodeStrings: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new CodedError('OUTPUT_EXPIRED', 'the output is no longer there', { cause: error });
  }
}

interface Found {
  file: Entry | null;
  /** Whether the path is named as a folder, so that it is one even when it is empty. */
  exists: boolean;
  /** By name, what lies right below the path; null for a folder that only its contents tell of. */
  entries: Map<string, Entry | null>;
}

async function find(zip: ZipFile, path: string): Promise<Found> {
  const found: Found = { file: null, exists: false, entries: new Map() };
  const prefix = path === '' ? '' : `${path}/`;
  for await (const entry of zip.eachEntry()) {
    const name = nameOf(entry);
    if (name === null) continue;
    if (name === path) return { ...found, file: entry };
    if (!name.startsWith(prefix)) continue;
    found.exists = true;
    const [child = '', ...deeper] = name.slice(prefix.length).split('/');
    if (child === '' || found.entries.size > MAX_ENTRIES) continue;
    const itself = deeper.length === 0 || (deeper.length === 1 && deeper[0] === '');
    if (itself || !found.entries.has(child)) found.entries.set(child, itself ? entry : null);
  }
  return found;
}

function nameOf(entry: Entry): string | null {
  const name = Buffer.from(entry.fileNameRaw).toString('utf8');
  return validateFileName(name.replaceAll('\\', '_')) === null ? name : null;
}

const isSymlink = (entry: Entry) => ((entry.externalFileAttributes >>> 16) & FILE_TYPE) === SYMLINK;

async function openFile(zip: ZipFile, entry: Entry, maxBytes: number): Promise<Readable> {
  if (isSymlink(entry)) {
    throw new CodedError(
      'NOT_A_FILE',
      `it is a symlink to "${await targetOf(zip, entry)}", which is not followed`,
      {
        hint: 'Ask for what it points to.',
      },
    );
  }
  if (entry.uncompressedSize > maxBytes) {
    throw new CodedError(
      'BODY_TOO_LARGE',
      `the file unpacks to ${entry.uncompressedSize} bytes, more than is served`,
      {
        hint: 'GET /download/:id gives the whole zip.',
      },
    );
  }
  return zip.openReadStreamPromise(entry);
}

async function listingOf(zip: ZipFile, path: string, found: Found['entries']): Promise<Listing> {
  const entries: ListedFile[] = [];
  const names = [...found.keys()].sort().slice(0, MAX_ENTRIES);
  for (const name of names) {
    const entry = found.get(name) ?? null;
    const info = infoOf(entry, path === '' ? name : `${path}/${name}`);
    entries.push(entry && isSymlink(entry) ? { ...info, target: await targetOf(zip, entry) } : info);
  }
  return { path, entries, truncated: found.size > MAX_ENTRIES };
}

function infoOf(entry: Entry | null, path: string): ListedFile {
  if (!entry) {
    return {
      path,
      type: 'directory',
      size: 0,
      mode: 0o755,
      modified: new Date(0).toISOString(),
      target: null,
    };
  }
  const isFolder = Buffer.from(entry.fileNameRaw).at(-1) === 0x2f;
  return {
    path,
    type: isSymlink(entry) ? 'symlink' : isFolder ? 'directory' : 'file',
    size: isFolder ? 0 : entry.uncompressedSize,
    mode: (entry.externalFileAttributes >>> 16) & 0o7777,
    modified: entry.getLastModDate().toISOString(),
    target: null,
  };
}

async function targetOf(zip: ZipFile, entry: Entry): Promise<string> {
  if (entry.uncompressedSize > MAX_TARGET_BYTES) return '';
  const chunks: Buffer[] = [];
  for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
