import type { Db } from '../tables.ts';

/** A job handed to a worker. Its id tells this handing-out apart from later ones of the same job. */
export interface Delivery {
  jobId: string;
  deliveryId: string;
}

/** Which job is enqueued, and how. */
export interface Enqueue {
  jobId: string;
  /** Higher goes first. */
  priority: number;
  /** Seconds until it may be taken; default 0. */
  delayS?: number;
  /** Whether it was under way before: then it goes before others of its priority. */
  again?: boolean;
}

/**
 * Who gets which job. The job's row stays the truth: the queue says only that a worker has to look at it.
 * A delivery that is not heard of for 30 s goes to another worker.
 */
export interface Queue {
  /** Up to `n` jobs, highest priority first, then those that were under way before, then oldest. */
  fetch(n: number): Promise<Delivery[]>;
  /** Keeps deliveries; to be called about every 5 s. Gives those that are no longer the caller's: lost, or their job has ended. */
  heartbeat(deliveryIds: string[]): Promise<string[]>;
  /** Ends a delivery; of one that is gone already: nothing. */
  done(deliveryId: string): Promise<void>;
  /** Hands a delivery back, to be taken by anyone after `delayS` seconds (default 0). */
  release(deliveryId: string, delayS?: number): Promise<void>;
  /** Calls `fn` whenever there may be something to fetch, and every 5 s in any case; returns how to stop that. */
  onWork(fn: () => void): () => void;

  /** Enqueues within the caller's transaction; gives the queue's id for it, for the job's row. */
  enqueue(db: Db, job: Enqueue): Promise<string>;
  /** Removes an entry, whoever holds it, within the caller's transaction. */
  remove(db: Db, queueId: string): Promise<void>;
  /** Whether the delivery is still its holder's, within the caller's transaction. */
  holds(db: Db, deliveryId: string): Promise<boolean>;
  /** Releases what is held by anyone: only for an installation of which no other process is alive. Gives how many. */
  releaseAbandoned(): Promise<number>;
  /** Removes places in the queue that no job has any more. Gives how many. */
  removeStray(): Promise<number>;
  close(): Promise<void>;
}
