import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

/** How long a client may take to read the end of its stream when the server closes. */
const LINGER_MS = 1_000;

/** The answers that stay open (events, logs that are followed), so that closing the server ends them at once. */
export class Streams {
  readonly #open = new Map<ServerResponse, AbortController>();
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  get size(): number {
    return this.#open.size;
  }

  /** A signal that aborts when the client is gone, the answer is over, or the server closes. */
  signalOf({ raw }: FastifyReply): AbortSignal {
    const controller = new AbortController();
    if (this.#closed || raw.destroyed) {
      controller.abort();
      return controller.signal;
    }
    this.#open.set(raw, controller);
    raw.once('close', () => {
      this.#open.delete(raw);
      if (this.#open.size === 0) clearTimeout(this.#timer);
      controller.abort();
    });
    return controller.signal;
  }

  /** Ends all of them; those whose clients do not read on are cut after a moment. */
  closeAll(): void {
    this.#closed = true;
    if (this.#open.size === 0) return;
    for (const controller of this.#open.values()) controller.abort();
    this.#timer = setTimeout(() => {
      for (const raw of this.#open.keys()) raw.destroy();
    }, LINGER_MS);
  }
}
