const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The wishes of whoever runs a command that it should end. */
export interface StopSignals {
  first: Promise<void>;
  second: Promise<void>;
  /** Aborted with the first. */
  signal: AbortSignal;
  /** Gives the signals back to Node.js, which ends the process on them. */
  end(): void;
}

/** Takes SIGINT and SIGTERM over until `end`. */
export function stopSignals(): StopSignals {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const controller = new AbortController();
  let came = 0;
  const onSignal = () => {
    came += 1;
    if (came > 1) return second.resolve();
    first.resolve();
    controller.abort(new Error('Stopped by a signal'));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    first: first.promise,
    second: second.promise,
    signal: controller.signal,
    end: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
