import { posix } from 'node:path';
import { CodedError } from '../../protocol/errors.ts';
import { WORKSPACE } from '../../protocol/job.ts';
import type { FileInfo } from '../../protocol/sandboxd.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { type ListedFile, type Listing, MAX_ENTRIES } from './listing.ts';

/** Where a path of /files lies in a sandbox. */
export const inWorkspace = (path: string): string => posix.join(WORKSPACE, path);

/** A folder of a live workspace. */
export async function listLive(sandbox: Sandbox, path: string, signal: AbortSignal): Promise<Listing> {
  const { entries, truncated } = await sandbox.list(inWorkspace(path), { signal, limit: MAX_ENTRIES });
  return { path, entries: entries.map((entry) => listed(entry, path)), truncated };
}

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
