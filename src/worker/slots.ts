/** The places of a worker: each running job holds one, a waiting one gives it back. */
export interface Slots {
  /** Places that new jobs could take now. */
  free(): number;
  /** A place for a new job, or null when all are taken. */
  tryTake(): Place | null;
}

/** One job's place. */
export interface Place {
  /** Gives it back; once given back, further calls do nothing. */
  giveBack(): void;
  /** Takes one again, before any new job. Rejects with the signal's reason when that is aborted first. */
  takeAgain(signal: AbortSignal): Promise<void>;
}

/** @param onFree told each time a place has become free for a new job. */
export function createSlots(count: number, onFree: () => void): Slots {
  let taken = 0;
  const returning: (() => void)[] = [];

  function give() {
    const next = returning.shift();
    if (next) return next();
    taken -= 1;
    onFree();
  }
  async function take(signal: AbortSignal) {
    signal.throwIfAborted();
    if (taken < count) {
      taken += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      const at = returning.indexOf(resolve);
      if (at < 0) return;
      returning.splice(at, 1);
      reject(signal.reason);
    };
    returning.push(resolve);
    signal.addEventListener('abort', abort, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', abort));
  }
  function place(): Place {
    let held = true;
    return {
      giveBack() {
        if (!held) return;
        held = false;
        give();
      },
      async takeAgain(signal) {
        if (held) return;
        await take(signal);
        held = true;
      },
    };
  }
  return {
    free: () => Math.max(0, count - taken),
    tryTake() {
      if (taken >= count) return null;
      taken += 1;
      return place();
    },
  };
}
