import http2, { type ClientHttp2Session } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '../../protocol/errors.ts';
import { CALLS, PROTOCOL_VERSION } from '../../protocol/sandboxd.ts';
import type { Driver, SandboxHandle } from '../driver.ts';
import { hello } from './hello.ts';

/** The default of 64 KiB bounds a stream by the round trip; this is what one call may have under way. */
const STREAM_WINDOW = 1024 * 1024;
const SESSION_WINDOW = 16 * 1024 * 1024;
/** A sandbox that cannot be reached for so long is lost. */
const RECONNECT_MS = 15_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
/** A peer that does not answer a ping within an interval hangs: its connection is cut. */
const PING_MS = 15_000;

/** The connection for calls: made again when it is cut, until the sandbox is lost or it is closed. */
export class Link {
  readonly #driver: Driver;
  readonly #handle: SandboxHandle;
  readonly #closing = new AbortController();
  readonly #lost = Promise.withResolvers<string>();
  #session: Promise<ClientHttp2Session> | null = null;
  #loss: CodedError | null = null;

  constructor(driver: Driver, handle: SandboxHandle) {
    this.#driver = driver;
    this.#handle = handle;
  }

  get lost(): Promise<string> {
    return this.#lost.promise;
  }

  /** Aborted when the link is closed or the sandbox is lost. */
  get over(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * The session to make a call on.
   * @throws CodedError SANDBOX_LOST, or CONNECTION_LOST once the link is closed.
   */
  session(signal?: AbortSignal): Promise<ClientHttp2Session> {
    if (this.#loss) return Promise.reject(this.#loss);
    if (this.over.aborted)
      return Promise.reject(new CodedError('CONNECTION_LOST', 'The connection was closed here.'));
    if (!this.#session) {
      const opening = this.#open(signal);
      this.#session = opening;
      opening.catch(() => {
        if (this.#session === opening) this.#session = null;
      });
    }
    return this.#session;
  }

  close(): void {
    this.#closing.abort(new CodedError('CONNECTION_LOST', 'The connection was closed here.'));
    void this.#session?.then(
      (session) => session.destroy(),
      () => {},
    );
    this.#session = null;
  }

  async #open(caller?: AbortSignal): Promise<ClientHttp2Session> {
    const signal = caller ? AbortSignal.any([this.over, caller]) : this.over;
    const deadline = performance.now() + RECONNECT_MS;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        return await this.#connect(signal);
      } catch (error) {
        signal.throwIfAborted();
        const code = error instanceof CodedError ? error.code : undefined;
        if (code === 'SANDBOX_LOST' || code === 'SANDBOX_START_FAILED' || performance.now() > deadline) {
          throw this.#lose(error);
        }
        await delay(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  async #connect(signal: AbortSignal): Promise<ClientHttp2Session> {
    const duplex = await this.#driver.connect(this.#handle, 'api', signal);
    const session = http2.connect('http://sandbox', {
      createConnection: () => duplex,
      settings: { initialWindowSize: STREAM_WINDOW, enablePush: false },
    });
    session.on('error', () => {}); // told by 'close', and by the calls under way
    duplex.on('error', () => session.destroy());
    session.once('connect', () => session.setLocalWindowSize(SESSION_WINDOW));
    const abort = () => session.destroy();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const found = await hello(session, AbortSignal.any([signal, AbortSignal.timeout(RECONNECT_MS)]));
      if (found.protocol !== PROTOCOL_VERSION) {
        throw new CodedError(
          'SANDBOX_START_FAILED',
          `The sandbox's daemon speaks version ${found.protocol} of the protocol, expected ${PROTOCOL_VERSION} (${CALLS.hello}).`,
          { hint: 'Make the image anew: npm start does so; or set SANDBOX_IMAGE to one of this version.' },
        );
      }
    } catch (error) {
      session.destroy();
      duplex.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
    const ping = keepAlive(session);
    session.once('close', () => {
      clearInterval(ping);
      duplex.destroy();
      this.#session = null;
      // At once, so that a sandbox that is gone is known to be, although nobody calls it.
      if (!this.over.aborted) this.session().catch(() => {});
    });
    if (session.destroyed)
      throw new CodedError('CONNECTION_LOST', 'The connection was cut after the handshake.');
    return session;
  }

  #lose(cause: unknown): CodedError {
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#loss =
      cause instanceof CodedError && cause.code !== 'CONNECTION_LOST'
        ? cause
        : new CodedError('SANDBOX_LOST', `The sandbox could not be reached any more: ${why}`, { cause });
    this.#lost.resolve(this.#loss.message);
    this.close();
    return this.#loss;
  }
}

function keepAlive(session: ClientHttp2Session): NodeJS.Timeout {
  let answered = true;
  return setInterval(() => {
    if (!answered) return session.destroy();
    answered = false;
    session.ping(() => {
      answered = true;
    });
  }, PING_MS).unref();
}
