/** Shares one run of a task among all who ask while it runs, and for `ms` milliseconds after. */
export function once<T>(task: () => Promise<T>, ms: number): () => Promise<T> {
  let current: Promise<T> | null = null;
  let settled = 0;
  return () => {
    if (current === null || (settled > 0 && Date.now() - settled >= ms)) {
      settled = 0;
      const run = task();
      current = run;
      const done = () => {
        if (current === run) settled = Date.now();
      };
      run.then(done, done);
    }
    return current;
  };
}
