import type { FastifyBaseLogger } from 'fastify';
import type { Job } from '../../protocol/job.ts';
import { keepSandbox } from '../../store/sandbox-leases.ts';
import type { Store } from '../../store/store.ts';

/** Not written more often than this, however often it is used. */
const EVERY_MS = 3_000;
/** A use that lasts counts again this often: below the shortest idle time. */
const AGAIN_MS = 4_000;

/** Keeps the sandboxes that clients use: each use puts their end off. A job's own sandbox lives as long as the job. */
export class Keeper {
  readonly #store: Store;
  readonly #log: FastifyBaseLogger;
  readonly #used = new Map<string, number>();

  constructor(store: Store, log: FastifyBaseLogger) {
    this.#store = store;
    this.#log = log;
  }

  /** It is used now. Never fails: the next use tries again. */
  use({ id, request }: Pick<Job, 'id' | 'request'>): void {
    if (request.agent !== 'none') return;
    const now = performance.now();
    if (now - (this.#used.get(id) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
    this.#used.set(id, now);
    for (const [known, at] of this.#used) if (now - at > EVERY_MS) this.#used.delete(known);
    keepSandbox(this.#store, id).catch((error: unknown) => {
      this.#log.debug({ err: error, job_id: id }, 'the use of a sandbox could not be written down');
    });
  }

  /** It is used until the signal is aborted. */
  useUntil(job: Pick<Job, 'id' | 'request'>, signal: AbortSignal): void {
    this.use(job);
    if (job.request.agent !== 'none' || signal.aborted) return;
    const timer = setInterval(() => this.use(job), AGAIN_MS);
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }
}
