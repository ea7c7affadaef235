import type { Socket } from 'node:net';
import type { EgressRefusal } from '../../src/protocol/egress.ts';
import { Mux } from '../../src/protocol/mux/mux.ts';
import { MuxReset, type MuxStream } from '../../src/protocol/mux/stream.ts';
import { readRefusal } from './refusal.ts';

/** How long a program waits for a worker to be there at all: one may be taking over from another. */
const WAIT_MS = 10_000;
/** How long for the worker's answer: it resolves the name and connects. */
const ANSWER_MS = 60_000;

/** A connection to the outside, or why there is none: `null` where no worker is there, or it went. */
export type Opened = { stream: MuxStream } | { refusal: EgressRefusal | null };

/** The way out: streams to the worker over the connections that it has opened, the newest of them. */
export class EgressLink {
  readonly #sessions: Mux[] = [];
  readonly #waiting = new Set<() => void>();

  /** Takes a connection that a worker has opened. */
  add(socket: Socket): void {
    const session = new Mux(socket);
    session.once('close', () => {
      const at = this.#sessions.indexOf(session);
      if (at >= 0) this.#sessions.splice(at, 1);
    });
    this.#sessions.push(session);
    for (const wake of this.#waiting) wake();
  }

  /** Asks for a connection to `host:port`. Waits for a worker for 10 s, and for its answer for a minute. */
  async open(authority: string): Promise<Opened> {
    const session = this.#newest() ?? (await this.#wait());
    if (!session) return { refusal: null };
    const stream = session.open(authority);
    const { promise, resolve } = Promise.withResolvers<Opened>();
    const timer = setTimeout(() => stream.destroy(), ANSWER_MS);
    stream.once('error', (error) =>
      resolve({ refusal: error instanceof MuxReset ? readRefusal(error.why) : null }),
    );
    stream.once('close', () => resolve({ refusal: null }));
    stream.once('accept', () => resolve({ stream }));
    return promise.finally(() => clearTimeout(timer));
  }

  #newest(): Mux | null {
    return this.#sessions.findLast((session) => !session.closed) ?? null;
  }

  #wait(): Promise<Mux | null> {
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
