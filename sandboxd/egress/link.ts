import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Socket } from 'node:net';

const STREAM_WINDOW = 1024 * 1024;
const SESSION_WINDOW = 16 * 1024 * 1024;
const MAX_SESSION_MB = 128;
/** How long a program waits for a worker to be there at all: one may be taking over from another. */
const WAIT_MS = 10_000;
/** How long for the worker's answer: it resolves the name and connects. */
const ANSWER_MS = 60_000;

export interface Tunnel {
  status: number;
  headers: IncomingHttpHeaders;
  stream: ClientHttp2Stream;
}

/** The way out: calls of the worker over the connections that it has opened, the newest of them. */
export class EgressLink {
  readonly #sessions: ClientHttp2Session[] = [];
  readonly #waiting = new Set<() => void>();

  /** Takes a connection that a worker has opened. */
  add(socket: Socket): void {
    const session = connect('http://egress', {
      createConnection: () => socket,
      settings: { initialWindowSize: STREAM_WINDOW, enablePush: false },
      maxSessionMemory: MAX_SESSION_MB,
    });
    session.setMaxListeners(0);
    session.on('error', () => {});
    session.once('connect', () => session.setLocalWindowSize(SESSION_WINDOW));
    session.once('close', () => {
      const at = this.#sessions.indexOf(session);
      if (at >= 0) this.#sessions.splice(at, 1);
      socket.destroy();
    });
    this.#sessions.push(session);
    for (const wake of this.#waiting) wake();
  }

  /**
   * Asks for a connection to `host:port`. A status other than 200 is the worker's refusal, the stream its reason.
   * @returns null when no worker is there, or it went before it answered.
   */
  async open(authority: string): Promise<Tunnel | null> {
    const session = this.#newest() ?? (await this.#wait());
    if (!session) return null;
    const stream = session.request({ ':method': 'CONNECT', ':authority': authority });
    const { promise, resolve } = Promise.withResolvers<Tunnel | null>();
    stream.setTimeout(ANSWER_MS, () => stream.close(constants.NGHTTP2_CANCEL));
    stream.on('error', () => resolve(null));
    stream.once('close', () => resolve(null));
    stream.once('response', (headers) => {
      stream.setTimeout(0);
      resolve({ status: Number(headers[':status']), headers, stream });
    });
    return promise;
  }

  #newest(): ClientHttp2Session | null {
    return this.#sessions.findLast((session) => !session.closed && !session.destroyed) ?? null;
  }

  #wait(): Promise<ClientHttp2Session | null> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve(this.#newest());
      };
      const timer = setTimeout(done, WAIT_MS);
      this.#waiting.add(done);
    });
  }
}
