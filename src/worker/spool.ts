import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';

/** Files up to this size never touch the disk. */
const IN_MEMORY_BYTES = 1024 * 1024;

/** Holds one file at a time until it is known to be whole. */
export interface Spool {
  /** Forgets what it holds. */
  reset(): void;
  add(bytes: Buffer): Promise<void>;
  size(): number;
  /** SHA-256 of what it holds, in hex. */
  sha256(): string;
  /** The bytes, where they are few enough to be held in memory; null else. */
  inMemory(): Buffer | null;
  /** The bytes as a stream; to be read to its end before the next `reset`. */
  stream(): Readable;
  close(): Promise<void>;
}

/** @param folder where large files are put: a file without a name, which the system removes with the process. */
export function createSpool(folder: string): Spool {
  let file: FileHandle | undefined;
  let pieces: Buffer[] = [];
  let size = 0;
  let hash: Hash = createHash('sha256');

  async function write(bytes: Buffer) {
    file ??= await openNameless(folder);
    for (let written = 0; written < bytes.length; ) {
      const at = size - bytes.length + written;
      written += (await file.write(bytes, written, bytes.length - written, at)).bytesWritten;
    }
  }
  return {
    reset() {
      pieces = [];
      size = 0;
      hash = createHash('sha256');
    },
    async add(bytes) {
      hash.update(bytes);
      size += bytes.length;
      if (size <= IN_MEMORY_BYTES) {
        pieces.push(bytes);
        return;
      }
      const late = pieces.length > 0 ? Buffer.concat([...pieces, bytes]) : bytes;
      pieces = [];
      await write(late);
    },
    size: () => size,
    sha256: () => hash.copy().digest('hex'),
    inMemory: () => (size <= IN_MEMORY_BYTES ? Buffer.concat(pieces) : null),
    stream() {
      if (size <= IN_MEMORY_BYTES) return Readable.from([Buffer.concat(pieces)]);
      if (file === undefined) throw new Error('The spool has no file');
      return file.createReadStream({ start: 0, end: size - 1, autoClose: false });
    },
    async close() {
      await file?.close();
      file = undefined;
    },
  };
}

async function openNameless(folder: string): Promise<FileHandle> {
  await mkdir(folder, { recursive: true });
  const own = await mkdtemp(join(folder, 'spool-'));
  try {
    return await open(join(own, 'file'), 'wx+', 0o600);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}
