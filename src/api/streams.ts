import type { FastifyReply } from 'fastify';

/** The answers that stay open (events, logs that are followed), so that closing the server ends them at once. */
export class Streams {
  readonly #open = new Set<AbortController>();
  #closed = false;

  get size(): number {
    return this.#open.size;
  }

  /** A signal that aborts when the client is gone, the answer is over, or the server closes. */
  signalOf(reply: FastifyReply): AbortSignal {
    const controller = new AbortController();
    if (this.#closed || reply.raw.destroyed) {
      controller.abort();
      return controller.signal;
    }
    this.#open.add(controller);
    reply.raw.once('close', () => {
      this.#open.delete(controller);
      controller.abort();
    });
    return controller.signal;
  }

  closeAll(): void {
    this.#closed = true;
    for (const controller of this.#open) controller.abort();
  }
}
