import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { countdown } from '../../src/worker/job-clock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('counts only while it runs', () => {
  const over = vi.fn();
  const clock = countdown(1_000, over);
  vi.advanceTimersByTime(5_000);
  clock.run();
  vi.advanceTimersByTime(600);
  clock.hold();
  vi.advanceTimersByTime(5_000);
  clock.run();
  clock.run();
  vi.advanceTimersByTime(399);
  expect(over).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2);
  expect(over).toHaveBeenCalledOnce();
  clock.run();
  expect(vi.getTimerCount()).toBe(0);
});

test('counts longer than one timer of Node.js can', () => {
  const over = vi.fn();
  const year = 365 * 86_400_000;
  countdown(year, over).run();
  vi.advanceTimersByTime(year - 1_000);
  expect(over).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_001);
  expect(over).toHaveBeenCalledOnce();
});

test('time that is over already ends it at once', () => {
  const over = vi.fn();
  countdown(-5, over).run();
  vi.advanceTimersByTime(1);
  expect(over).toHaveBeenCalledOnce();
});
