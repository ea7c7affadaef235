import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendLog } from '../../src/store/append-log.ts';
import { cancelJob } from '../../src/store/cancel-job.ts';
import { lastLines } from '../../src/store/last-lines.ts';
import { logSize, readLog } from '../../src/store/read-log.ts';
import { openTestStore, type TestStore } from '../support/database.ts';
import { running } from './jobs.ts';

let opened: TestStore;
beforeAll(async () => {
  opened = await openTestStore({ MAX_LOG_MB: '1' });
});
afterAll(() => opened.close());

const MIB = 2 ** 20;

async function read(jobId: string, range?: { from?: number; to?: number }): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of readLog(opened.store, jobId, 'stdout', range)) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('a log reads back whole, and every range of it is that part', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  const bytes = Buffer.from(Uint8Array.from({ length: 700_000 }, (_, index) => index % 251));
  for (let at = 0, n = 1; at < bytes.length; at += n, n = (n * 3) % 300_001) {
    await appendLog(store, fence, 'stdout', bytes.subarray(at, at + n));
  }
  expect(await logSize(store, fence.jobId, 'stdout')).toBe(bytes.length);
  expect(await logSize(store, fence.jobId, 'stderr')).toBe(0);
  expect((await read(fence.jobId)).equals(bytes)).toBe(true);
  for (const [from, to] of [
    [0, 1],
    [5, 5],
    [262_143, 262_146],
    [1_000, 600_000],
    [699_999, 700_000],
    [600_000, 9_000_000],
    [800_000, 900_000],
  ] as const) {
    expect((await read(fence.jobId, { from, to })).equals(bytes.subarray(from, to))).toBe(true);
  }
});

test('the last lines come from the end, and begin with a whole character', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  expect(await lastLines(store, fence.jobId, 'stdout', 10)).toBe('');
  const lines = Array.from({ length: 5_000 }, (_, n) => `line ${n} äöü\n`);
  await appendLog(store, fence, 'stdout', Buffer.from(lines.join('')));
  expect(await lastLines(store, fence.jobId, 'stdout', 3)).toBe(lines.slice(-3).join(''));
  expect(await lastLines(store, fence.jobId, 'stdout', 4_999)).toBe(lines.slice(1).join(''));
  expect(await lastLines(store, fence.jobId, 'stdout', 5_001)).toBe(lines.join(''));
  await appendLog(store, fence, 'stdout', Buffer.from('no end'));
  expect(await lastLines(store, fence.jobId, 'stdout', 2)).toBe(`${lines.at(-1)}no end`);
});

test('of a log past its cap the middle is left out; what was read once stays as it was', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  const line = (n: number) => `${String(n).padStart(9, '0')} ${'x'.repeat(89)}\n`;
  const text = Array.from({ length: 60_000 }, (_, n) => line(n)).join('');
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 100_001) {
    await appendLog(store, fence, 'stdout', bytes.subarray(at, at + 100_001));
  }
  expect(await logSize(store, fence.jobId, 'stdout')).toBe(MIB);
  expect((await read(fence.jobId)).equals(bytes.subarray(0, MIB))).toBe(true);
  expect(await lastLines(store, fence.jobId, 'stdout', 3)).toBe(text.slice(-300));

  await cancelJob(store, fence.jobId);
  const whole = (await read(fence.jobId)).toString();
  expect(whole.length).toBe(await logSize(store, fence.jobId, 'stdout'));
  expect(whole.startsWith(text.slice(0, MIB))).toBe(true);
  const [, left] = /\n\[log cut: (\d+) bytes are left out here\]\n/.exec(whole) ?? [];
  const tail = whole.slice(whole.indexOf(' left out here]\n') + ' left out here]\n'.length);
  expect(tail.length).toBeGreaterThanOrEqual(MIB);
  expect(tail.length).toBeLessThan(MIB + 300_000);
  expect(text.endsWith(tail)).toBe(true);
  expect(MIB + Number(left) + tail.length).toBe(text.length);
  expect(await lastLines(store, fence.jobId, 'stdout', 3)).toBe(text.slice(-300));
});

test('a log that passes its cap by little loses nothing', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  const bytes = Buffer.alloc(MIB + 1_000, 'abcdefg');
  await appendLog(store, fence, 'stdout', bytes);
  await cancelJob(store, fence.jobId);
  expect((await read(fence.jobId)).equals(bytes)).toBe(true);
});
