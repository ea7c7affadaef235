import { opendir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ID_PATTERN } from '../../protocol/ids.ts';

/**
 * Removes what a crash left half written below the artifacts' folder: temporary names that nobody has touched
 * since `before`, and folders with nothing in them.
 * @returns how many temporary names went.
 */
export async function sweepTemporary(root: string, before: Date): Promise<number> {
  let removed = 0;
  for await (const job of await opendir(root)) {
    if (!job.isDirectory() || !ID_PATTERN.test(job.name)) continue;
    const folder = join(root, job.name);
    for await (const entry of await opendir(folder)) {
      if (!entry.name.startsWith('.new-')) continue;
      const path = join(folder, entry.name);
      const info = await stat(path).catch(() => null);
      if (!info || info.mtime >= before) continue;
      await rm(path, { recursive: true, force: true });
      removed++;
    }
    const { mtime } = await stat(folder);
    // Refused by the system when it is not empty, which is what decides.
    if (mtime < before) await rmdir(folder).catch(() => {});
  }
  return removed;
}
