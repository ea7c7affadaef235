import { setTimeout as delay } from 'node:timers/promises';
import { readLeases, type SandboxLease, setReady } from '../store/sandbox-leases.ts';
import type { Store } from '../store/store.ts';
import { untilStored } from './until-stored.ts';

/** How often a lease is looked up at least: a notification may be missed. */
const LOOK_MS = 60_000;

/**
 * The agent of a sandbox that clients use: it waits until nobody has used the sandbox for its idle time, or its life is
 * over. Rejects with the signal's reason when that comes first.
 */
export async function holdSandbox(
  store: Store,
  jobId: string,
  signal: AbortSignal,
): Promise<{ summary: string }> {
  let wake = new AbortController();
  const unsubscribe = store.notifications.subscribe(jobId, () => wake.abort());
  try {
    await untilStored(() => setReady(store, jobId));
    for (;;) {
      signal.throwIfAborted();
      // Taken before the look, so that a change during it is not missed.
      wake = new AbortController();
      const lease = await look(store, jobId);
      const left = lease ? lease.expires.getTime() - Date.now() : 0;
      if (!lease || left <= 0) return { summary: whyOver(lease) };
      const changed = AbortSignal.any([signal, wake.signal]);
      await delay(Math.min(left, LOOK_MS), undefined, { signal: changed }).catch(() => {});
    }
  } finally {
    unsubscribe();
  }
}

async function look(store: Store, jobId: string): Promise<SandboxLease | undefined> {
  let lease: SandboxLease | undefined;
  await untilStored(async () => {
    lease = (await readLeases(store, [jobId])).get(jobId);
  });
  return lease;
}

const whyOver = (lease: SandboxLease | undefined): string =>
  lease && lease.expires.getTime() < lease.ends.getTime()
    ? 'It was not used for its idle time.'
    : 'Its lifetime is over.';
