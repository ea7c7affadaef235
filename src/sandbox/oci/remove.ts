import { rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { removeGroup } from './cgroup.ts';
import type { SandboxPlace } from './store.ts';

/**
 * Ends a sandbox's processes, which takes its mounts with them, and removes its group and its folder. Each step takes
 * what an earlier try has left, so that it may be called at any stage and at once by several.
 * @throws the system's error when something cannot be removed.
 */
export async function removeSandbox({ folder, cgroup }: SandboxPlace): Promise<void> {
  await removeGroup(cgroup);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  // Whatever was still making it when its maker died has now nothing left to make it from.
  await removeGroup(cgroup);
  // The installation's folder goes with its last sandbox.
  await rmdir(dirname(folder)).catch(() => {});
}
