import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '../protocol/errors.ts';

/** How long the database may be away before another worker is left to find what becomes of the job. */
const PATIENCE_MS = 60_000;
const LONGEST_PAUSE_MS = 5_000;

/** Whether the database is away, so that what failed was not the job. */
export const isStoreTrouble = (error: unknown): boolean =>
  error instanceof CodedError && error.code === 'STORE_UNAVAILABLE';

/** Does what must be stored, again and again while the database is away, for up to a minute. */
export async function untilStored(store: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  for (let pause = 200; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      await store();
      return;
    } catch (error) {
      if (!isStoreTrouble(error) || performance.now() - start > PATIENCE_MS) throw error;
    }
    await delay(pause);
  }
}
