import { createHash } from 'node:crypto';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** Entries that yazl may hold compressed in memory before the writer waits for them to be written. */
const UNWRITTEN_BYTES = 4 * 1024 * 1024;
const UNWRITTEN_ENTRIES = 256;

/** The times that a zip can hold. */
const EARLIEST = Date.UTC(1980, 0, 2);
const LATEST = Date.UTC(2037, 11, 31);

/** Deflate finds nothing more in these. */
const COMPRESSED =
  /\.(zip|gz|tgz|bz2|xz|zst|7z|br|png|jpe?g|webp|gif|mp[34]|m4a|mov|webm|ogg|woff2?|whl|jar)$/i;

const TYPE = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;

export interface EntryMeta {
  path: string;
  /** Permission bits of the entry. */
  mode: number;
  modified: Date;
}

/** Writes a zip as a stream. Names are taken as they are: the caller has checked them. */
export interface ZipWriter {
  addFile(meta: EntryMeta, bytes: Buffer): Promise<void>;
  addStream(meta: EntryMeta, bytes: Readable): Promise<void>;
  addFolder(meta: EntryMeta): void;
  addLink(meta: EntryMeta, target: string): void;
  /** Ends the zip; resolves when the output has taken all of it. */
  end(): Promise<{ bytes: number; sha256: string }>;
  /** Gives up: the output is destroyed, what it holds is no zip. */
  abort(): Promise<void>;
}

/** A zip that is written to `output`, which it ends. Rejections are what the output failed with. */
export function createZipWriter(output: Writable): ZipWriter {
  const zip = new ZipFile();
  const hash = createHash('sha256');
  const controller = new AbortController();
  let bytes = 0;
  let unwrittenBytes = 0;
  let unwrittenEntries = 0;

  async function* measured(source: AsyncIterable<string | Buffer>) {
    for await (const piece of source) {
      const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  const written = pipeline(zip.outputStream, measured, output, { signal: controller.signal });
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  written.catch(broken.reject);
  zip.on('error', broken.reject);

  async function addStream(meta: EntryMeta, source: Readable) {
    unwrittenBytes = 0;
    unwrittenEntries = 0;
    const consumed = new Promise<void>((resolve, reject) => {
      source.once('end', resolve);
      source.once('error', reject);
    });
    zip.addReadStreamLazy(meta.path, fileOptions(meta), (give) => give(null, source));
    try {
      await Promise.race([consumed, broken.promise]);
    } finally {
      source.destroy();
    }
  }
  return {
    addStream,
    async addFile(meta, content) {
      unwrittenBytes += content.length;
      unwrittenEntries += 1;
      // yazl does not say when a buffer is written; the end of a stream behind it does.
      if (unwrittenBytes > UNWRITTEN_BYTES || unwrittenEntries > UNWRITTEN_ENTRIES) {
        return addStream(meta, Readable.from([content], { objectMode: false }));
      }
      zip.addBuffer(content, meta.path, fileOptions(meta));
    },
    addFolder(meta) {
      zip.addEmptyDirectory(meta.path, { mode: TYPE.directory | meta.mode, mtime: zipTime(meta.modified) });
    },
    addLink(meta, target) {
      zip.addBuffer(Buffer.from(target), meta.path, {
        mode: TYPE.symlink | 0o777,
        mtime: zipTime(meta.modified),
        compress: false,
      });
    },
    async end() {
      zip.end();
      await Promise.race([written, broken.promise]);
      return { bytes, sha256: hash.digest('hex') };
    },
    async abort() {
      controller.abort();
      await written.catch(() => {});
    },
  };
}

const fileOptions = (meta: EntryMeta) => ({
  mode: TYPE.file | meta.mode,
  mtime: zipTime(meta.modified),
  compress: !COMPRESSED.test(meta.path),
});

function zipTime(time: Date): Date {
  const ms = time.getTime();
  return new Date(Number.isNaN(ms) ? EARLIEST : Math.min(Math.max(ms, EARLIEST), LATEST));
}
