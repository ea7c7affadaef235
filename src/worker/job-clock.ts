/** The longest delay that a Node timer keeps; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A timer for any length of time that can be stopped and go on. */
export interface Countdown {
  /** Counts on; does nothing when it counts already or is over. */
  run(): void;
  /** Stops counting; what was counted stays counted. */
  hold(): void;
}

/** Calls `onEnd` once, when `ms` milliseconds have been counted. It starts held. */
export function countdown(ms: number, onEnd: () => void): Countdown {
  let left = ms;
  let since: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  let over = false;

  function next() {
    since = performance.now();
    timer = setTimeout(tick, Math.min(Math.max(left, 0), LONGEST_TIMER_MS));
  }
  function count() {
    if (since !== null) left -= performance.now() - since;
    since = null;
    clearTimeout(timer);
  }
  function tick() {
    count();
    // A timer may fire a fraction of a millisecond early.
    if (left > 1) return next();
    over = true;
    onEnd();
  }
  return {
    run() {
      if (since === null && !over) next();
    },
    hold: count,
  };
}
