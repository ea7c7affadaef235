import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Driver } from '../sandbox/driver.ts';
import { reconcile } from '../sandbox/reconcile.ts';
import { namedSandboxes } from '../store/named-sandboxes.ts';
import { removeExpired } from '../store/remove-expired.ts';
import type { Store } from '../store/store.ts';
import { sweepJobs } from '../store/sweep-jobs.ts';
import { heartbeatWorker, liveWorkers, registerWorker } from '../store/workers.ts';
import { settledWithin } from './abortable.ts';

const HEARTBEAT_MS = 5_000;
const SWEEP_MS = 5_000;
const RECONCILE_MS = 30_000;
const RETENTION_MS = 60_000;
/** How long the search for lost sandboxes may hold up the end: what it leaves is found at the next start. */
const LAST_SEARCH_MS = 10_000;

export interface MaintenanceOptions {
  store: Store;
  driver: Driver;
  worker: string;
  /** What the worker tells of itself. */
  info: () => Record<string, unknown>;
  /** Whether this process has the sandbox. */
  holds: (sandboxId: string) => boolean;
  /** False for a process that runs no jobs: it looks after no sandboxes. */
  runsJobs: boolean;
  log: Logger;
}

/**
 * Does what has to be done again and again, each task at once and then at its own pace; gives how to stop it. At the end
 * it looks for lost sandboxes once more: that of a job, say, which was cancelled while no worker had it.
 */
export function startMaintenance(options: MaintenanceOptions): { stop(): Promise<void> } {
  const { store, worker, log } = options;
  const stopping = new AbortController();

  async function repeat(what: string, everyMs: number, task: () => Promise<unknown>): Promise<void> {
    let goes = true;
    while (goes) {
      await task().catch((error: unknown) => log.warn({ err: error }, `${what} failed; tried again`));
      goes = await delay(everyMs, true, { signal: stopping.signal }).catch(() => false);
    }
  }
  const tasks = [
    repeat('the sweep of jobs', SWEEP_MS, async () => {
      const swept = await sweepJobs(store);
      if (Object.values(swept).some((count) => count > 0))
        log.info({ swept }, 'moved jobs that nobody moved');
    }),
    repeat('the removal of expired jobs', RETENTION_MS, async () => {
      while (!stopping.signal.aborted && (await removeExpired(store)) > 0);
    }),
  ];
  if (options.runsJobs) {
    const beat = async () => {
      if (!(await heartbeatWorker(store, worker))) await registerWorker(store, worker, options.info());
    };
    tasks.push(repeat('the heartbeat', HEARTBEAT_MS, beat));
    tasks.push(repeat('the search for lost sandboxes', RECONCILE_MS, () => findLost(options)));
  }
  return {
    async stop() {
      stopping.abort();
      await Promise.all(tasks);
      if (!options.runsJobs) return;
      const last = findLost(options).catch((error: unknown) =>
        log.warn({ err: error }, 'sandboxes that nobody claims may be left'),
      );
      await settledWithin(last, LAST_SEARCH_MS);
    },
  };
}

async function findLost({ store, driver, worker, holds, log }: MaintenanceOptions): Promise<void> {
  const { ready } = await driver.check();
  if (!ready) return;
  let named: Promise<Set<string>> | undefined;
  await reconcile(driver, {
    installation: store.installation,
    worker,
    liveWorkers: async () => new Set((await liveWorkers(store)).map(({ id }) => id)),
    isKept: async ({ id }) => {
      // Asked for only now: the sandboxes are listed by then, so whoever has one is known.
      named ??= namedSandboxes(store);
      return holds(id) || (await named).has(id);
    },
    log,
  });
}
