import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createPool, type PoolOptions } from '../../src/sandbox/pool.ts';
import { type StartedSandbox, startSandbox } from '../../src/sandbox/start.ts';
import { silent, testDriver } from '../support/engines.ts';
import { testInstallation } from '../support/run-id.ts';
import { run, startOptions, testSpec } from '../support/sandbox.ts';

/** A pool of real sandboxes of one installation, and how many of those there are. */
async function open(
  size: number,
  given: Partial<PoolOptions> = {},
  made: (started: StartedSandbox) => void = () => {},
) {
  const driver = testDriver();
  const installation = testInstallation();
  const options = await startOptions(driver);
  const start = async (signal: AbortSignal) => {
    const started = await startSandbox(
      testSpec({ installation, limits: { memory_mb: 256 } }),
      options,
      signal,
    );
    made(started);
    return started;
  };
  const pool = createPool({ size, start, log: silent, ...given });
  const count = async () => (await driver.list(installation)).length;
  onTestFinished(async () => {
    await pool.stop();
    expect(await count()).toBe(0);
  });
  const full = () => vi.waitFor(() => expect(pool.ready()).toBe(size), 20_000);
  const take = async () => {
    const taken = await pool.take();
    if (!taken) throw new Error('expected a warm sandbox; found none');
    onTestFinished(() => taken.destroy());
    return taken;
  };
  return { pool, driver, count, full, take };
}

describe('the pool', () => {
  it('hands out sandboxes that work, and fills up again, never above its size', async () => {
    const { pool, count, full, take } = await open(2);
    await full();
    expect(await count()).toBe(2);
    const taken = await take();
    expect((await run(taken.sandbox, 'echo warm')).stdout).toBe('warm\n');
    await full();
    expect(await count()).toBe(3);
    expect(pool.ready()).toBe(2);
  });

  it('gives each sandbox to one asker only', async () => {
    const { pool, full } = await open(2);
    await full();
    const taken = await Promise.all([pool.take(), pool.take(), pool.take()]);
    onTestFinished(async () => {
      await Promise.all(taken.map((each) => each?.destroy()));
    });
    const ids = taken.flatMap((each) => (each ? [each.handle.id] : []));
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(2);
  });

  it('replaces one that dies while it waits, and never hands it out', async () => {
    const made: StartedSandbox[] = [];
    const { pool, driver, full, take } = await open(1, {}, (started) => void made.push(started));
    await full();
    const [first] = made;
    if (!first) throw new Error('expected a sandbox to have been made');
    await driver.destroy(first.handle);
    const taken = await vi.waitFor(() => take(), 20_000);
    expect(taken.handle.id).not.toBe(first.handle.id);
    expect((await run(taken.sandbox, 'echo alive')).stdout).toBe('alive\n');
    expect(pool.ready()).toBeLessThanOrEqual(1);
  });

  it('tries again, more and more slowly, while starts fail', async () => {
    const starts: number[] = [];
    const pool = createPool({
      size: 3,
      pauseMs: 20,
      start: () => {
        starts.push(performance.now());
        return Promise.reject(new Error('no engine'));
      },
      log: silent,
    });
    await vi.waitFor(() => expect(starts.length).toBeGreaterThanOrEqual(12), 5_000);
    await pool.stop();
    const rounds = starts.filter((at, i) => i === 0 || at - (starts[i - 1] ?? 0) > 10);
    const gaps = rounds.slice(1).map((at, i) => at - (rounds[i] ?? 0));
    expect(gaps.at(-1)).toBeGreaterThan((gaps[0] ?? 0) * 1.5);
    const before = starts.length;
    expect(await pool.take()).toBeNull();
    expect(starts).toHaveLength(before);
  });

  it('is empty with size 0', async () => {
    const start = vi.fn();
    const pool = createPool({ size: 0, start, log: silent });
    expect(await pool.take()).toBeNull();
    expect(start).not.toHaveBeenCalled();
    await pool.stop();
  });

  it('ends starts under way when it stops', async () => {
    const { pool, count } = await open(3);
    await pool.stop();
    expect(await count()).toBe(0);
    expect(pool.ready()).toBe(0);
  });
});
