import type { Logger } from 'pino';
import type { EngineState } from '../sandbox/engine-state.ts';
import type { Delivery, Queue } from '../store/queue/queue.ts';
import { createSlots, type Place } from './slots.ts';

/** Deliveries are lost to their holder after 30 s without a word. */
const HEARTBEAT_MS = 5_000;
/** How long an engine counts as ready, or not, before it is asked again. */
const READY_MS = 10_000;
const NOT_READY_MS = 2_000;

export interface ClaimLoop {
  /** Jobs that it has claimed and that are not done. */
  claimed(): number;
  /** Claims nothing more. */
  stopClaiming(): void;
  /** Resolves when every claimed job is done. */
  done(): Promise<void>;
  /** Ends the heartbeats too; to be called when every job is done. */
  close(): void;
}

/**
 * Takes jobs from the queue as long as there are free places and the engine is ready: told of new ones by the queue,
 * and looking by itself now and then.
 * @param run works on a delivery to its end; its failure is logged and the delivery released.
 * @param onLost told of jobs whose delivery is no longer this worker's.
 */
export function startClaimLoop(options: {
  queue: Queue;
  concurrency: number;
  engine: () => Promise<EngineState>;
  run: (delivery: Delivery, place: Place) => Promise<void>;
  onLost: (jobId: string) => void;
  log: Logger;
}): ClaimLoop {
  const { queue, concurrency, run, onLost, log } = options;
  const active = new Map<string, { jobId: string; running: Promise<void> }>();
  const slots = createSlots(concurrency, () => void claim());
  const isReady = remember(options.engine, log);
  let stopped = false;
  let claiming = false;
  let again = false;

  async function claim(): Promise<void> {
    if (stopped || concurrency === 0) return;
    again = true;
    if (claiming) return;
    claiming = true;
    try {
      while (again && !stopped) {
        again = false;
        if (slots.free() > 0 && (await isReady())) await fetch();
      }
    } catch (error) {
      log.warn({ err: error }, 'no jobs could be taken from the queue');
    } finally {
      claiming = false;
    }
  }
  async function fetch(): Promise<void> {
    const places: Place[] = [];
    for (let place = slots.tryTake(); place; place = slots.tryTake()) places.push(place);
    try {
      const deliveries = stopped ? [] : await queue.fetch(places.length);
      for (const delivery of deliveries) {
        const place = places.shift();
        if (place) begin(delivery, place);
      }
      // A full answer: there may be more as soon as a place is free.
      if (places.length === 0) again = slots.free() > 0;
    } finally {
      giveBackQuietly(places);
    }
  }
  /** Places that were held for nothing become free without another look at the queue. */
  function giveBackQuietly(places: Place[]) {
    const before = again;
    for (const place of places) place.giveBack();
    again = before;
  }
  function begin(delivery: Delivery, place: Place) {
    const running = run(delivery, place)
      .catch(async (error: unknown) => {
        log.error({ err: error, job: delivery.jobId }, 'a job could not be taken up');
        await queue.release(delivery.deliveryId, 5).catch(() => {});
      })
      .finally(() => {
        active.delete(delivery.deliveryId);
        place.giveBack();
      });
    active.set(delivery.deliveryId, { jobId: delivery.jobId, running });
  }
  async function heartbeat(): Promise<void> {
    const lost = await queue.heartbeat([...active.keys()]).catch((error: unknown) => {
      log.warn({ err: error }, 'the jobs of this worker could not be kept');
      return [];
    });
    for (const deliveryId of lost) {
      const job = active.get(deliveryId);
      if (job) onLost(job.jobId);
    }
  }

  const stopWork = queue.onWork(() => void claim());
  const timer = setInterval(() => void heartbeat(), HEARTBEAT_MS);
  void claim();

  return {
    claimed: () => active.size,
    stopClaiming() {
      stopped = true;
      stopWork();
    },
    async done() {
      while (active.size > 0) await Promise.all([...active.values()].map(({ running }) => running));
    },
    close: () => clearInterval(timer),
  };
}

/** Whether the engine is ready, asked at most every few seconds; a change is logged. */
function remember(engine: () => Promise<EngineState>, log: Logger): () => Promise<boolean> {
  let known: EngineState | null = null;
  let until = 0;
  return async () => {
    if (performance.now() < until) return known?.ready ?? false;
    const state = await engine();
    if (!state.ready && known?.ready !== false) {
      log.warn({ detail: state.detail }, 'no sandboxes can be made; jobs wait until that is possible');
    }
    if (state.ready && known?.ready === false)
      log.info({ detail: state.detail }, 'sandboxes can be made again');
    known = state;
    until = performance.now() + (state.ready ? READY_MS : NOT_READY_MS);
    return state.ready;
  };
}
