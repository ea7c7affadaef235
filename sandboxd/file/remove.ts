import { lstat, rm, rmdir, unlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { CodedError } from '../../src/protocol/errors.ts';
import type { FileRemove } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { errno, withErrno } from '../serve/errno.ts';

/** Removes a file, an empty folder, or with `recursive` a folder and all that is in it. */
export async function removeFile(
  args: z.infer<typeof FileRemove>,
  call: Call,
  daemon: Daemon,
): Promise<void> {
  const path = resolve(daemon.workspace, args.path);
  await withErrno(path, async () => {
    if (!(await lstat(path)).isDirectory()) return unlink(path);
    if (args.recursive) return rm(path, { recursive: true });
    try {
      await rmdir(path);
    } catch (error) {
      if (errno(error) !== 'ENOTEMPTY') throw error;
      const hint = 'Say recursive to remove all that is in it.';
      throw new CodedError('IS_A_DIRECTORY', `${path} is a folder that is not empty.`, { hint });
    }
  });
  await call.json({});
}
