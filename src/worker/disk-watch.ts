import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { CodedError } from '../protocol/errors.ts';
import type { Driver, SandboxHandle } from '../sandbox/driver.ts';

const SHORTEST_MS = 2_000;
const LONGEST_MS = 60_000;
/** A measurement may walk a whole file system: at most a twentieth of the time goes into it. */
const REST_PER_COST = 19;

/**
 * Measures what a sandbox has written until the signal is aborted, for engines that do not enforce the limit themselves.
 * @param onOver told once, with DISK_LIMIT, when it is more than `limitMb`; then the watch ends.
 */
export async function watchDisk(options: {
  driver: Driver;
  handle: SandboxHandle;
  limitMb: number;
  signal: AbortSignal;
  log: Logger;
  onOver: (error: CodedError) => void;
}): Promise<void> {
  const { driver, handle, limitMb, signal, log, onOver } = options;
  let pause = SHORTEST_MS;
  while (await rested(pause, signal)) {
    const start = performance.now();
    const used = await driver.diskUsage(handle).catch((error: unknown) => {
      // The next round tries again; a sandbox that is gone ends the job by itself.
      log.debug({ err: error }, 'the disk usage of the sandbox could not be measured');
      return 0;
    });
    if (used === null || signal.aborted) return;
    const usedMb = Math.ceil(used / 1024 / 1024);
    if (usedMb > limitMb) {
      const message = `The sandbox has written ${usedMb} MB, where limits.disk_mb allows ${limitMb} MB`;
      return onOver(new CodedError('DISK_LIMIT', message));
    }
    pause = Math.min(Math.max((performance.now() - start) * REST_PER_COST, SHORTEST_MS), LONGEST_MS);
  }
}

/** False when the signal was aborted meanwhile. */
async function rested(ms: number, signal: AbortSignal): Promise<boolean> {
  return delay(ms, true, { signal }).catch(() => false);
}
