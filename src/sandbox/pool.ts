import type { Logger } from 'pino';
import type { StartedSandbox } from './start.ts';

const HELLO_MS = 2_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

export interface PoolOptions {
  /** Sandboxes to keep ready; never are there more, those that start or go included. */
  size: number;
  start: (signal: AbortSignal) => Promise<StartedSandbox>;
  log: Logger;
  /** Milliseconds before the first new try when a start has failed; it doubles up to a minute. */
  pauseMs?: number;
}

/** Sandboxes that are started before a job asks for one. */
export interface Pool {
  /** One that has just answered, or null when none is ready: then the caller starts its own. */
  take(): Promise<StartedSandbox | null>;
  /** How many are ready. */
  ready(): number;
  /** Ends starts under way and destroys what is ready. */
  stop(): Promise<void>;
}

export function createPool({ size, start, log, pauseMs = FIRST_PAUSE_MS }: PoolOptions): Pool {
  const idle = new Set<StartedSandbox>();
  const starting = new Set<Promise<void>>();
  const discarding = new Set<Promise<void>>();
  const stopping = new AbortController();
  let failures = 0;
  let pause: NodeJS.Timeout | undefined;

  function refill(): void {
    if (stopping.signal.aborted || pause) return;
    while (idle.size + starting.size + discarding.size < size) {
      const attempt: Promise<void> = startOne().finally(() => {
        starting.delete(attempt);
        refill();
      });
      starting.add(attempt);
    }
  }

  async function startOne(): Promise<void> {
    try {
      const started = await start(stopping.signal);
      failures = 0;
      if (stopping.signal.aborted) return discard(started);
      idle.add(started);
      started.sandbox.lost.then((reason) => {
        if (idle.delete(started)) {
          log.warn({ sandbox: started.handle.id, reason }, 'a warm sandbox was lost');
          void discard(started);
        }
      });
    } catch (error) {
      if (stopping.signal.aborted) return;
      log.warn({ err: error }, 'a warm sandbox could not be started');
      waitBeforeRefill();
    }
  }

  function waitBeforeRefill(): void {
    if (pause) return;
    const wait = Math.min(pauseMs * 2 ** failures, LONGEST_PAUSE_MS);
    failures += 1;
    pause = setTimeout(() => {
      pause = undefined;
      refill();
    }, wait).unref();
  }

  /** Never fails: what cannot be destroyed now is found by the reconciler. */
  function discard(started: StartedSandbox): Promise<void> {
    const discarded: Promise<void> = started
      .destroy()
      .catch((error: unknown) => {
        log.warn({ err: error, sandbox: started.handle.id }, 'a warm sandbox could not be destroyed');
      })
      .finally(() => {
        discarding.delete(discarded);
        refill();
      });
    discarding.add(discarded);
    return discarded;
  }

  async function take(): Promise<StartedSandbox | null> {
    for (;;) {
      const [next] = idle;
      if (!next || stopping.signal.aborted) return null;
      idle.delete(next);
      try {
        await next.sandbox.hello({ signal: AbortSignal.timeout(HELLO_MS) });
        return next;
      } catch (error) {
        log.warn({ err: error, sandbox: next.handle.id }, 'a warm sandbox did not answer');
        void discard(next);
      } finally {
        refill();
      }
    }
  }

  async function stop(): Promise<void> {
    stopping.abort(new Error('the pool stops'));
    clearTimeout(pause);
    await Promise.all(starting);
    for (const started of idle) void discard(started);
    idle.clear();
    await Promise.all(discarding);
  }

  refill();
  return { take, ready: () => idle.size, stop };
}
