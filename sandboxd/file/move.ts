import { cp, lstat, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { CodedError } from '../../src/protocol/errors.ts';
import type { FileMove } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { errno, withErrno } from '../serve/errno.ts';

/** Moves a file or folder, also from one file system to another. Folders that are missing are made. */
export async function moveFile(args: z.infer<typeof FileMove>, call: Call, daemon: Daemon): Promise<void> {
  const from = resolve(daemon.workspace, args.from);
  const to = resolve(daemon.workspace, args.to);
  await withErrno(from, () => lstat(from));
  await withErrno(to, async () => {
    if (!args.overwrite && (await lstat(to).catch(() => null))) {
      throw new CodedError('PATH_EXISTS', `${to} exists already.`);
    }
    await mkdir(dirname(to), { recursive: true });
    try {
      await rename(from, to);
    } catch (error) {
      if (errno(error) !== 'EXDEV') throw error;
      await cp(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
      await rm(from, { recursive: true });
    }
  });
  await call.json({});
}
