import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { z } from 'zod';
import type { FileWrite } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { withErrno } from '../serve/errno.ts';
import { infoOf } from './info.ts';
import { refuseSpecial } from './open-file.ts';
import { followLinks } from './paths.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_NONBLOCK } = constants;
const NEW_MODE = 0o644;
const MODE_BITS = 0o7777;

/** Writes a file: whole or not at all, or at the end of what is there. Folders that are missing are made. */
export async function writeFile(args: z.infer<typeof FileWrite>, call: Call, daemon: Daemon): Promise<void> {
  const path = resolve(daemon.workspace, args.path);
  await withErrno(path, async () => {
    const target = await followLinks(path);
    await mkdir(dirname(target), { recursive: true });
    const existing = await stat(target).catch(() => null);
    if (existing) refuseSpecial(path, existing);
    const mode = args.mode ?? (existing ? existing.mode & MODE_BITS : NEW_MODE);
    const stats = await (args.append
      ? append(target, existing && args.mode === undefined ? null : mode, call)
      : replace(target, mode, call));
    await call.json(infoOf(path, stats));
  });
}

async function append(target: string, mode: number | null, call: Call) {
  await using file = await open(target, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, mode ?? NEW_MODE);
  refuseSpecial(target, await file.stat());
  await receive(call, file);
  if (mode !== null) await file.chmod(mode);
  return file.stat();
}

/** Beside the target, so that it can be renamed into place, under a name that fits wherever the target's does. */
async function replace(target: string, mode: number, call: Call) {
  const temporary = join(dirname(target), `.sandboxd-${randomBytes(8).toString('hex')}`);
  await using file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  try {
    await receive(call, file);
    await file.chmod(mode);
    const stats = await file.stat();
    await rename(temporary, target);
    return stats;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function receive(call: Call, file: FileHandle): Promise<void> {
  for await (const bytes of call.input()) {
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
  }
}
