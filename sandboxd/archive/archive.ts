import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { z } from 'zod';
import { CodedError } from '../../src/protocol/errors.ts';
import type { Archive, ArchiveMessage } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import { modified, typeOf } from '../file/info.ts';
import type { Call } from '../serve/call.ts';
import { withErrno } from '../serve/errno.ts';
import { select } from './selection.ts';
import { sendFile } from './send-file.ts';

const MODE_BITS = 0o7777;
/** Other calls get their turn after this many entries. */
const ENTRIES_A_TURN = 64;

type LeftOut = Extract<ArchiveMessage, { event: 'left_out' }>['reason'];

/** Streams what is below a folder, names in order, each folder before what it holds. Symlinks are not followed. */
export async function archive(args: z.infer<typeof Archive>, call: Call, daemon: Daemon): Promise<void> {
  const root = resolve(daemon.workspace, args.root);
  const { included, excluded } = select(args.include, args.exclude);
  let entries = 0;
  let visited = 0;

  async function walk(folder: string, inside: boolean): Promise<void> {
    const names = await readdir(join(root, folder));
    for (const name of names.sort()) {
      call.signal.throwIfAborted();
      const path = folder === '' ? name : `${folder}/${name}`;
      if (++visited % ENTRIES_A_TURN === 0) await turn();
      if (excluded(path)) await leaveOut(path, 'excluded');
      else await visit(path, inside || included(path));
    }
  }

  async function visit(path: string, wanted: boolean): Promise<void> {
    const full = join(root, path);
    const stats = lstat(full);
    const type = stats && typeOf(stats);
    if (!type) await leaveOut(path, 'unreadable');
    else if (type === 'directory') {
      if (wanted) await tell(path, 'directory', stats, null);
      await walk(path, wanted).catch((error) => refuse(path, error));
    } else if (!wanted) await leaveOut(path, 'not_included');
    else if (type === 'file') {
      const sent = await sendFile(call, full, path).catch((error) => refuse(path, error));
      if (sent === false) await leaveOut(path, 'special_file');
      if (sent) entries += 1;
    } else if (type === 'symlink') {
      const target = readLink(full);
      await (target === null ? leaveOut(path, 'unreadable') : tell(path, 'symlink', stats, target));
    } else await leaveOut(path, 'special_file');
  }

  /** What cannot be read is left out; a caller that has gone is another matter. */
  async function refuse(path: string, error: unknown): Promise<void> {
    if (error instanceof CodedError) throw error;
    await leaveOut(path, 'unreadable');
  }

  function tell(path: string, type: 'directory' | 'symlink', stats: Stats, target: string | null) {
    entries += 1;
    const mode = stats.mode & MODE_BITS;
    return call.json({ event: 'entry', path, type, size: 0, mode, modified: modified(stats), target });
  }

  function leaveOut(path: string, reason: LeftOut): Promise<void> | undefined {
    return call.json({ event: 'left_out', path, reason });
  }

  await withErrno(root, async () => {
    if (!(await stat(root)).isDirectory())
      throw new CodedError('NOT_A_DIRECTORY', `${root} is not a folder.`);
    await walk('', false);
  });
  await call.json({ event: 'archive_end', entries });
}

function lstat(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}

function readLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
