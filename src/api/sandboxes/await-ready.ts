import { isFinal, type Job } from '../../protocol/job.ts';
import { getJob } from '../../store/get-job.ts';
import { readLeases, type SandboxLease } from '../../store/sandbox-leases.ts';
import type { Store } from '../../store/store.ts';
import { Bell } from '../bell.ts';

/** Longest silence between two looks; a notification comes sooner. */
const LOOK_MS = 2_000;

/** Waits until a sandbox can be used or has ended, at most `ms`; gives it as it is then, null when it is gone. */
export async function awaitReady(
  store: Store,
  id: string,
  ms: number,
  signal: AbortSignal,
): Promise<{ job: Job; lease: SandboxLease | undefined } | null> {
  const bell = new Bell();
  const unsubscribe = store.notifications.subscribe(id, bell.ring);
  const until = performance.now() + ms;
  try {
    for (;;) {
      const job = await getJob(store, id);
      if (job === null) return null;
      const lease = (await readLeases(store, [id])).get(id);
      const left = until - performance.now();
      if (isFinal(job.status) || lease?.ready || left <= 0 || signal.aborted) return { job, lease };
      await bell.wait(Math.min(LOOK_MS, left), signal);
    }
  } finally {
    unsubscribe();
  }
}
