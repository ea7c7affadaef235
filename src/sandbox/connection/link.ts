import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '../../protocol/errors.ts';
import type { Mux } from '../../protocol/mux/mux.ts';
import { PROTOCOL_VERSION } from '../../protocol/sandboxd.ts';
import { wordsOf } from '../../protocol/words-of.ts';
import type { Driver, SandboxHandle } from '../driver.ts';
import { hello } from './hello.ts';
import { openSession } from './open-session.ts';

/** How long a sandbox may be out of reach before it counts as lost. */
const RECONNECT_MS = 15_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
const HINT = 'Make the sandbox image anew: npm start does so; or set SANDBOX_IMAGE to one of this version.';

/**
 * The connection of the calls. When it is cut, calls under way fail and a new one is made for later ones;
 * when that cannot be, the sandbox is lost, for good.
 */
export class Link {
  /** Resolves when the sandbox is lost, with why. Never rejects. */
  readonly lost: Promise<string>;
  readonly #driver: Pick<Driver, 'connect'>;
  readonly #handle: SandboxHandle;
  readonly #closing = new AbortController();
  readonly #lose: (why: string) => void;
  #failure: CodedError | null = null;
  #session: Mux | null = null;
  #opening: Promise<Mux> | null = null;

  constructor(driver: Pick<Driver, 'connect'>, handle: SandboxHandle) {
    this.#driver = driver;
    this.#handle = handle;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.lost = promise;
    this.#lose = resolve;
  }

  /** Aborted when this is closed or the sandbox is lost. */
  get over(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * The session for a new call; waits for one while the connection is being made again.
   * @throws CodedError SANDBOX_LOST, SANDBOX_START_FAILED (another version of sandboxd); the signal's reason.
   */
  async session(signal?: AbortSignal): Promise<Mux> {
    signal?.throwIfAborted();
    if (this.#failure) throw this.#failure;
    if (this.#session && !this.#session.closed) return this.#session;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null;
    });
    return signal ? await unlessAborted(this.#opening, signal) : await this.#opening;
  }

  /** Ends the connection. Calls under way fail with CONNECTION_LOST. */
  async close(): Promise<void> {
    this.#failure ??= new CodedError('CONNECTION_LOST', 'The connection to the sandbox has been closed.');
    this.#closing.abort(this.#failure);
    const session = this.#session;
    const opening = this.#opening;
    this.#session = null;
    session?.destroy();
    await opening?.catch(() => {});
  }

  async #open(): Promise<Mux> {
    const deadline = performance.now() + RECONNECT_MS;
    const late = AbortSignal.any([this.over, AbortSignal.timeout(RECONNECT_MS)]);
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        return await this.#openOnce(late);
      } catch (error) {
        if (this.#failure) throw this.#failure;
        if (isFinal(error) || performance.now() + pause > deadline) throw this.#fail(error);
      }
      await delay(pause, undefined, { signal: this.over }).catch(() => {});
      if (this.#failure) throw this.#failure;
    }
  }

  async #openOnce(signal: AbortSignal): Promise<Mux> {
    const duplex = await this.#driver.connect(this.#handle, 'api', signal);
    const session = openSession(duplex);
    try {
      const { protocol } = await hello(session, signal);
      if (protocol !== PROTOCOL_VERSION) {
        const message = `Expected a sandboxd that speaks version ${PROTOCOL_VERSION} of the protocol; found ${protocol}.`;
        throw new CodedError('SANDBOX_START_FAILED', message, { hint: HINT });
      }
    } catch (error) {
      session.destroy();
      throw error;
    }
    this.#session = session;
    session.once('close', () => {
      if (this.#session !== session) return;
      this.#session = null;
      // At once, not with the next call: whether the sandbox is lost must be known without one.
      if (!this.#failure) this.session().catch(() => {});
    });
    return session;
  }

  #fail(cause: unknown): CodedError {
    const found = wordsOf(cause);
    const failure =
      cause instanceof CodedError && isFinal(cause)
        ? cause
        : new CodedError(
            'SANDBOX_LOST',
            `The sandbox could not be reached for ${RECONNECT_MS / 1_000} s: ${found}`,
            {
              cause,
            },
          );
    this.#failure = failure;
    this.#closing.abort(failure);
    this.#lose(failure.message);
    return failure;
  }
}

/** The driver says that it is gone, or what runs in it is not what is expected. */
const isFinal = (error: unknown): boolean =>
  error instanceof CodedError && (error.code === 'SANDBOX_LOST' || error.code === 'SANDBOX_START_FAILED');

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
