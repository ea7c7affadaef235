import type { ArchiveMessage } from '../protocol/sandboxd.ts';
import { createEntryNames, linkStaysInside } from './entry-names.ts';
import type { LeftOutReason, ManifestBuilder } from './output-manifest.ts';
import type { Spool } from './spool.ts';
import type { ZipWriter } from './zip-writer.ts';

/** A zip of more would be slow to read, and its manifest large. */
const MOST_ENTRIES = 100_000;

type Entry = Extract<ArchiveMessage, { event: 'entry' }>;

/**
 * Puts what an archive call streams into the zip and its manifest. What the sandbox says is not trusted: names, link
 * targets and sizes are checked here, and a file goes in only when all of its bytes have come.
 * @throws CodedError CONNECTION_LOST and the like when the stream fails; what was whole by then is in.
 */
export async function packEntries(options: {
  stream: AsyncIterable<ArchiveMessage | Buffer>;
  zip: ZipWriter;
  manifest: ManifestBuilder;
  spool: Spool;
  /** Bytes of files. */
  maxBytes: number;
  /** Names that the caller adds itself. */
  reserved: string[];
}): Promise<void> {
  const { stream, zip, manifest, spool, maxBytes, reserved } = options;
  const names = createEntryNames(reserved);
  let entries = 0;
  let room = maxBytes;
  /** The file whose bytes are coming. */
  let open: Entry | null = null;
  /** Why it will not go in, once that is known. */
  let refused: LeftOutReason | null = null;

  function admit(entry: Entry): LeftOutReason | null {
    if (entries >= MOST_ENTRIES) return 'too_many_entries';
    if (entry.type === 'symlink' && !linkStaysInside(entry.path, entry.target ?? ''))
      return 'link_leaves_tree';
    if (entry.type === 'file' && entry.size > room) return 'too_large';
    return names.claim(entry.path, entry.type);
  }
  function begin(entry: Entry) {
    if (open) manifest.leaveOut(open.path, refused ?? 'changed_while_read');
    open = null;
    const fault = admit(entry);
    if (entry.type === 'file') {
      open = entry;
      refused = fault;
      spool.reset();
    } else if (fault) manifest.leaveOut(entry.path, fault);
    else {
      entries += 1;
      addFolderOrLink(entry);
    }
  }
  function addFolderOrLink(entry: Entry) {
    const modified = new Date(entry.modified);
    const { path } = entry;
    if (entry.type === 'directory') {
      zip.addFolder({ path, mode: (entry.mode & 0o755) | 0o700, modified });
      manifest.add({ path, type: 'directory', size: 0 });
    } else {
      const target = entry.target ?? '';
      zip.addLink({ path, mode: 0o777, modified }, target);
      manifest.add({ path, type: 'symlink', size: Buffer.byteLength(target), target });
    }
  }
  async function bytes(chunk: Buffer) {
    if (open === null || refused !== null) return;
    if (spool.size() + chunk.length > room) {
      refused = 'too_large';
      spool.reset();
    } else await spool.add(chunk);
  }
  async function finish(entry: Entry, whole: boolean) {
    const reason = refused ?? (whole ? null : 'changed_while_read');
    open = null;
    if (reason) return manifest.leaveOut(entry.path, reason);
    entries += 1;
    room -= spool.size();
    manifest.add({ path: entry.path, type: 'file', size: spool.size(), sha256: spool.sha256() });
    const meta = { path: entry.path, mode: (entry.mode & 0o755) | 0o600, modified: new Date(entry.modified) };
    const content = spool.inMemory();
    await (content ? zip.addFile(meta, content) : zip.addStream(meta, spool.stream()));
  }

  try {
    for await (const message of stream) {
      if (Buffer.isBuffer(message)) await bytes(message);
      else if (message.event === 'entry') begin(message);
      else if (message.event === 'file_end' && open) await finish(open, message.complete);
      else if (message.event === 'left_out') manifest.leaveOut(message.path, message.reason);
    }
  } catch (error) {
    const cut: Entry | null = open;
    if (cut) manifest.leaveOut((cut as Entry).path, refused ?? 'cut_off');
    throw error;
  }
}
