import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ResolvedAddress } from './lookup.ts';

/** How long one address gets before the next is tried as well; the last gets what is left. */
const ATTEMPT_MS = 2_000;
const CONNECT_MS = 20_000;

/**
 * A connection to the first of these addresses that takes it, half-open when one side ends.
 * @param signal - ends the attempt.
 * @throws the last address's error; a TimeoutError after 20 s; the signal's reason.
 */
export async function connectTo(
  addresses: readonly ResolvedAddress[],
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connect({
    // Never resolved: the answer is the list that has been checked.
    host: 'checked.invalid',
    port,
    lookup: (_host, _options, done) => done(null, [...addresses]),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
    allowHalfOpen: true,
    noDelay: true,
  });
  try {
    const limit = AbortSignal.timeout(CONNECT_MS);
    await once(socket, 'connect', { signal: AbortSignal.any([signal, limit]) }).catch((error) => {
      throw limit.aborted ? limit.reason : error;
    });
    return socket;
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    throw error;
  }
}
