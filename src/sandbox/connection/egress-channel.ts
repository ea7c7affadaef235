import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '../../protocol/errors.ts';
import type { Driver, SandboxHandle } from '../driver.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Keeps the sandbox's way out open: hands over a channel, and a new one whenever that is cut. Never fails. */
export async function keepEgressOpen(
  driver: Driver,
  handle: SandboxHandle,
  serve: (channel: Duplex) => void,
  over: AbortSignal,
): Promise<void> {
  for (let pause = FIRST_PAUSE_MS; !over.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      const channel = await driver.connect(handle, 'egress', over);
      const close = () => channel.destroy();
      const closed = new Promise((resolve) => channel.once('close', resolve));
      channel.on('error', close);
      over.addEventListener('abort', close, { once: true });
      if (over.aborted) close();
      const since = performance.now();
      serve(channel);
      await closed;
      over.removeEventListener('abort', close);
      if (performance.now() - since > LONGEST_PAUSE_MS) pause = FIRST_PAUSE_MS;
    } catch (error) {
      // The connection for calls tells everybody.
      if (error instanceof CodedError && error.code === 'SANDBOX_LOST') return;
    }
    await delay(pause, undefined, { signal: over, ref: false }).catch(() => {});
  }
}
