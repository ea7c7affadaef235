import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventData } from '../../src/protocol/events.ts';
import { coalesceEgress } from '../../src/sandbox/egress/coalesce.ts';

const denied = (host: string) => ({
  host,
  port: 443,
  address: null,
  allowed: false,
  rule: 'network.mode=none',
});

describe('coalesceEgress', () => {
  let events: EventData<'egress'>[] = [];
  const emit = (event: EventData<'egress'>) => void events.push(event);

  beforeEach(() => {
    events = [];
    vi.useFakeTimers();
  });
  afterEach(() => void vi.useRealTimers());

  it('tells the first at once and the rest as one count', () => {
    const recorder = coalesceEgress(emit);
    for (let i = 0; i < 10_000; i++) recorder.record(denied('a.example'));
    expect(events).toEqual([{ ...denied('a.example'), count: 1 }]);
    vi.advanceTimersByTime(10_000);
    expect(events[1]).toEqual({ ...denied('a.example'), count: 9_999 });
    recorder.close();
    expect(events).toHaveLength(2);
  });

  it('keeps verdicts and ports apart', () => {
    const recorder = coalesceEgress(emit);
    recorder.record(denied('a.example'));
    recorder.record({ ...denied('a.example'), port: 80 });
    recorder.record({
      ...denied('a.example'),
      allowed: true,
      rule: 'network.mode=public',
      address: '192.0.2.1',
    });
    recorder.close();
    expect(events.map(({ port, allowed }) => [port, allowed])).toEqual([
      [443, false],
      [80, false],
      [443, true],
    ]);
  });

  it('loses none, over however many targets and intervals', () => {
    const recorder = coalesceEgress(emit);
    let recorded = 0;
    for (let interval = 0; interval < 5; interval++) {
      for (let i = 0; i < 3_000; i++, recorded++) recorder.record(denied(`h${i % 700}.example`));
      vi.advanceTimersByTime(10_000);
    }
    recorder.close();
    expect(events.reduce((sum, { count }) => sum + count, 0)).toBe(recorded);
    expect(events.length).toBeLessThan(5 * 2 * 201 + 201);
    expect(events.some(({ host }) => host === '(others)')).toBe(true);
  });

  it('leaves no timer behind', () => {
    const recorder = coalesceEgress(emit);
    recorder.record(denied('a.example'));
    recorder.close();
    recorder.record(denied('a.example'));
    expect(vi.getTimerCount()).toBe(0);
    expect(events).toHaveLength(1);
    const quiet = coalesceEgress(emit);
    quiet.record(denied('a.example'));
    vi.advanceTimersByTime(30_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
