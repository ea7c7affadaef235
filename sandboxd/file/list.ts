import { opendir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { MAX_JSON_BYTES } from '../../src/protocol/frames.ts';
import type { FileInfo, FileList } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { withErrno } from '../serve/errno.ts';
import { fileInfo } from './info.ts';

/** Leaves room for what the answer has around its entries. */
const MAX_LISTING_BYTES = MAX_JSON_BYTES - 64 * 1024;

/** Lists a folder and, to a depth, the folders in it: each folder before what it holds, names in order. */
export async function listFiles(args: z.infer<typeof FileList>, call: Call, daemon: Daemon): Promise<void> {
  const root = resolve(daemon.workspace, args.path);
  const entries: FileInfo[] = [];
  let bytes = 0;

  /** @returns whether all of it fitted */
  async function walk(folder: string, depth: number): Promise<boolean> {
    const { names, all } = await firstNames(folder, args.limit - entries.length);
    for (const name of names) {
      call.signal.throwIfAborted();
      const info = await fileInfo(join(folder, name)).catch(() => null);
      // It went in the meantime, or its name is no UTF-8 and cannot be asked for.
      if (!info) continue;
      bytes += Buffer.byteLength(JSON.stringify(info)) + 1;
      if (entries.length >= args.limit || bytes > MAX_LISTING_BYTES) return false;
      entries.push(info);
      if (info.type !== 'directory' || depth <= 1) continue;
      if (!(await walk(info.path, depth - 1).catch(() => true))) return false;
    }
    return all;
  }
  const all = await withErrno(root, () => walk(root, args.depth));
  await call.json({ entries, truncated: !all });
}

/** The first names of a folder in order, of which there may be millions. */
async function firstNames(folder: string, limit: number): Promise<{ names: string[]; all: boolean }> {
  let names: string[] = [];
  let all = true;
  const trim = (): void => {
    names.sort();
    if (names.length <= limit) return;
    names = names.slice(0, limit);
    all = false;
  };
  for await (const { name } of await opendir(folder)) {
    names.push(name);
    if (names.length > 2 * limit + 1_000) trim();
  }
  trim();
  return { names, all };
}
