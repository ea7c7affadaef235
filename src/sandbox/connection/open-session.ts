import type { Duplex } from 'node:stream';
import { CodedError } from '../../protocol/errors.ts';
import { Mux } from '../../protocol/mux/mux.ts';

/** A peer that answers no ping for this long is taken for dead. */
const PING_EVERY_MS = 5_000;
const PING_TIMEOUT_MS = 15_000;

/**
 * Calls over a driver's stream, which from now on belongs to the session: one's end is the other's.
 * The session ends by itself when its peer has hung for 15 s.
 */
export function openSession(duplex: Duplex): Mux {
  const session = new Mux(duplex);
  let answered = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - answered > PING_TIMEOUT_MS) {
      const message = `The sandbox has answered nothing for ${PING_TIMEOUT_MS / 1_000} s.`;
      return session.destroy(new CodedError('CONNECTION_LOST', message));
    }
    session.ping().then(
      () => {
        answered = performance.now();
      },
      () => {},
    );
  }, PING_EVERY_MS);
  timer.unref();
  session.once('close', () => clearInterval(timer));
  return session;
}
