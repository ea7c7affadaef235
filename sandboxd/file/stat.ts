import { resolve } from 'node:path';
import type { z } from 'zod';
import type { FileStat } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { withErrno } from '../serve/errno.ts';
import { fileInfo } from './info.ts';

/** Tells what there is at a path; of a symlink, the symlink. */
export async function statFile(args: z.infer<typeof FileStat>, call: Call, daemon: Daemon): Promise<void> {
  const path = resolve(daemon.workspace, args.path);
  await call.json(await withErrno(path, () => fileInfo(path)));
}
