import { posix } from 'node:path';
import { CodedError } from '../../protocol/errors.ts';
import { WORKSPACE } from '../../protocol/job.ts';
import type { FileInfo } from '../../protocol/sandboxd.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { type ListedFile, type Listing, MAX_ENTRIES } from './listing.ts';

/** Where a path of /files lies in a sandbox. */
export const inWorkspace = (path: string): string => posix.join(WORKSPACE, path);

/** A folder of a live workspace and, to a depth, the folders in it. */
export async function listLive(
  sandbox: Sandbox,
  path: string,
  { depth, signal }: { depth: number; signal: AbortSignal },
): Promise<Listing> {
  const root = inWorkspace(path);
  const { entries, truncated } = await sandbox.list(root, { signal, depth, limit: MAX_ENTRIES });
  return { path, entries: entries.map((entry) => listed(entry, folderOf(entry, root, path))), truncated };
}

/** The folder of an entry, told from the workspace on. */
const folderOf = ({ path }: FileInfo, root: string, told: string): string =>
  posix.join(told, posix.relative(root, posix.dirname(path)));

/** Whether there is something at the path. */
export async function existsLive(sandbox: Sandbox, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    await sandbox.stat(inWorkspace(path), { signal });
    return true;
  } catch (error) {
    if (error instanceof CodedError && error.code === 'PATH_NOT_FOUND') return false;
    throw error;
  }
}

/** What a sandbox tells of a file, with its path told from the workspace on. */
export function listed(info: FileInfo, folder: string): ListedFile {
  const { type, size, mode, modified, target } = info;
  return { path: posix.join(folder, posix.basename(info.path)), type, size, mode, modified, target };
}
