import { chown, lstat, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Account } from './account.ts';

const PREFIX = 'agent-pg-';
/** A socket's path may have 103 bytes on macOS and 107 on Linux; the name in the folder takes 16. */
const MAX_FOLDER_BYTES = 80;

/**
 * Makes the folder of the socket, which nobody but the server's account (and root) can enter: whoever reaches the
 * socket is let in. `again` names the one to use or make once more. It lies in the system's temporary folder, since the path of a data folder may be too long.
 */
export async function makeSocketFolder(account: Account | null, again?: string): Promise<string> {
  if (again !== undefined) {
    const info = await lstat(again).catch(() => null);
    const uid = account?.uid ?? process.getuid?.();
    if (info?.isDirectory() && info.uid === uid && (info.mode & 0o077) === 0) return again;
    await mkdir(again, { mode: 0o700 });
    if (account) await chown(again, account.uid, account.gid);
    return again;
  }
  const base = Buffer.byteLength(tmpdir()) > MAX_FOLDER_BYTES ? '/tmp' : tmpdir();
  // mkdtemp makes it with mode 0700.
  const folder = await mkdtemp(join(base, PREFIX));
  if (account) await chown(folder, account.uid, account.gid);
  return folder;
}

/** Removes a folder that {@link makeSocketFolder} made; anything else stays. */
export async function removeSocketFolder(folder: string): Promise<void> {
  const info = await lstat(folder).catch(() => null);
  if (info?.isDirectory() && folder.includes(`/${PREFIX}`))
    await rm(folder, { recursive: true, force: true });
}
