/** One line of the table: two percentiles of what was measured, in `unit`. */
export interface Row {
  name: string;
  p50: number;
  p99: number;
  unit: string;
  note: string;
}

/** The percentile of a list of measurements, by the nearest rank. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** A row of durations, or (with `best: 'high'`) of rates, whose p99 is then the slow end. */
export function row(
  name: string,
  values: readonly number[],
  unit: string,
  note: string,
  best: 'low' | 'high' = 'low',
): Row {
  const [middle, worst] = best === 'low' ? [50, 99] : [50, 1];
  return {
    name,
    p50: percentile(values, middle),
    p99: percentile(values, worst),
    unit,
    note: `${note} n=${values.length}`,
  };
}

/** Milliseconds that it took. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await action();
  return performance.now() - began;
}
