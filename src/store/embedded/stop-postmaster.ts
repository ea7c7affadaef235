import { isPostmasterOf } from './postmaster-pid.ts';
import { until } from './processes.ts';

const FAST_MS = 30_000;
const IMMEDIATE_MS = 5_000;

/**
 * Stops a server: in order ("fast", which ends its sessions and writes a checkpoint), and if it will not, at once, which
 * costs it a recovery at the next start. Of one that is gone: nothing.
 */
export async function stopPostmaster(pid: number, folder: string): Promise<void> {
  if (await end(pid, folder, 'SIGINT', FAST_MS)) return;
  await end(pid, folder, 'SIGQUIT', IMMEDIATE_MS);
}

async function end(pid: number, folder: string, signal: NodeJS.Signals, timeoutMs: number): Promise<boolean> {
  if (!(await isPostmasterOf(pid, folder))) return true;
  try {
    process.kill(pid, signal);
  } catch {
    // Gone between the two.
    return true;
  }
  return await until(async () => !(await isPostmasterOf(pid, folder)), timeoutMs);
}
