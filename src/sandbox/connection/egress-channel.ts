import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Driver, SandboxHandle } from '../driver.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/** Takes one connection of a sandbox's egress channel, and gives what lets go of it. */
export type ServeEgress = (duplex: Duplex) => unknown;

/** Keeps the egress channel open until the signal is aborted: each time that it is cut, a new one is served. */
export async function keepEgress(
  driver: Pick<Driver, 'connect'>,
  handle: SandboxHandle,
  serve: ServeEgress,
  signal: AbortSignal,
): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      const duplex = await driver.connect(handle, 'egress', signal);
      const opened = performance.now();
      await serveOne(duplex, serve, signal);
      if (performance.now() - opened > LONGEST_PAUSE_MS) pause = FIRST_PAUSE_MS;
    } catch {
      // The channel of the calls finds out whether the sandbox is lost, and ends this.
    }
    await delay(pause, undefined, { signal }).catch(() => {});
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function serveOne(duplex: Duplex, serve: ServeEgress, signal: AbortSignal): Promise<void> {
  const served = serve(duplex);
  try {
    duplex.on('error', () => {});
    duplex.once('end', () => duplex.destroy());
    if (!duplex.destroyed) await once(duplex, 'close', { signal });
  } finally {
    letGo(served);
    duplex.destroy();
  }
}

function letGo(served: unknown): void {
  if (typeof served !== 'object' || served === null) return;
  if ('close' in served && typeof served.close === 'function') served.close();
  else if (Symbol.dispose in served) (served as Disposable)[Symbol.dispose]();
}
