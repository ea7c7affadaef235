import { type ClientHttp2Session, connect } from 'node:http2';
import type { Duplex } from 'node:stream';
import { CodedError } from '../../protocol/errors.ts';

const STREAM_WINDOW = 1024 * 1024;
const SESSION_WINDOW = 16 * 1024 * 1024;
const MAX_SESSION_MB = 256;
/** A peer that answers no ping for this long is taken for dead. */
const PING_EVERY_MS = 5_000;
const PING_TIMEOUT_MS = 15_000;

/**
 * HTTP/2 over a driver's stream, which from now on belongs to the session: one's end is the other's.
 * The session ends by itself when its peer has hung for 15 s.
 */
export function openSession(duplex: Duplex): ClientHttp2Session {
  const session = connect('http://sandbox', {
    createConnection: () => duplex,
    settings: { initialWindowSize: STREAM_WINDOW, enablePush: false },
    maxSessionMemory: MAX_SESSION_MB,
  });
  // One listener for each call under way; there is no telling how many that are.
  session.setMaxListeners(0);
  session.on('error', () => {});
  session.once('connect', () => session.setLocalWindowSize(SESSION_WINDOW));
  // Not every stream that ends tells its session.
  for (const event of ['end', 'close', 'error'] as const) duplex.on(event, () => session.destroy());
  const stop = keepAlive(session);
  session.once('close', () => {
    stop();
    duplex.destroy();
  });
  return session;
}

function keepAlive(session: ClientHttp2Session): () => void {
  let answered = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - answered > PING_TIMEOUT_MS) {
      const message = `The sandbox has answered nothing for ${PING_TIMEOUT_MS / 1_000} s.`;
      session.destroy(new CodedError('CONNECTION_LOST', message));
      return;
    }
    if (session.closed || session.destroyed) return;
    session.ping((error) => {
      if (!error) answered = performance.now();
    });
  }, PING_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
