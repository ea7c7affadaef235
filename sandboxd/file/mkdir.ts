import { chmod, mkdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { z } from 'zod';
import type { FileMkdir } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { errno, withErrno } from '../serve/errno.ts';

/** Makes a folder and those above it. One that is there already: no error. */
export async function makeFolder(args: z.infer<typeof FileMkdir>, call: Call, daemon: Daemon): Promise<void> {
  const path = resolve(daemon.workspace, args.path);
  await withErrno(path, async () => {
    try {
      await mkdir(path, { recursive: true });
    } catch (error) {
      if (errno(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
    }
    if (args.mode !== undefined) await chmod(path, args.mode);
  });
  await call.json({});
}
