import type { Logger } from 'pino';
import type { Driver, ListedSandbox, SandboxHandle } from './driver.ts';

export interface Claims {
  /** The worker that asks. */
  worker: string;
  liveWorkers: ReadonlySet<string>;
  /** Ids of sandboxes that the asking process holds (those it is only starting included) or a job that has not ended names. */
  kept: ReadonlySet<string>;
}

/**
 * The sandboxes that nobody will come back for. Another live worker's are its own business, since only it knows what
 * it holds; what this worker or one that is gone has made stays while it is claimed.
 */
export function unclaimed(listed: readonly ListedSandbox[], claims: Claims): SandboxHandle[] {
  return listed
    .filter(({ worker }) => worker === claims.worker || !claims.liveWorkers.has(worker))
    .map(({ handle }) => handle)
    .filter(({ id }) => !claims.kept.has(id));
}

export interface ReconcileOptions {
  installation: string;
  worker: string;
  liveWorkers: () => Promise<ReadonlySet<string>>;
  /** Whether this process holds it, as soon as it starts to make it, or a job that has not ended names it. */
  isKept: (handle: SandboxHandle) => boolean | Promise<boolean>;
  log: Logger;
}

/**
 * Destroys what a crash left behind. Safe beside running workers: the sandboxes are listed first, so that whoever
 * has made one of them is known by the time it is judged.
 * @returns the sandboxes that it destroyed; one that cannot be destroyed is left for the next time.
 * @throws CodedError ENGINE_UNAVAILABLE, or what the callbacks throw: then nothing has been destroyed.
 */
export async function reconcile(driver: Driver, options: ReconcileOptions): Promise<SandboxHandle[]> {
  const listed = await driver.list(options.installation);
  if (listed.length === 0) return [];
  const liveWorkers = await options.liveWorkers();
  const kept = new Set<string>();
  for (const { handle } of listed) if (await options.isKept(handle)) kept.add(handle.id);
  const destroyed: SandboxHandle[] = [];
  for (const handle of unclaimed(listed, { worker: options.worker, liveWorkers, kept })) {
    try {
      await driver.destroy(handle);
      destroyed.push(handle);
      options.log.info({ sandbox: handle.id }, 'destroyed a sandbox that nobody claims');
    } catch (error) {
      options.log.warn(
        { err: error, sandbox: handle.id },
        'a sandbox that nobody claims could not be destroyed',
      );
    }
  }
  return destroyed;
}
