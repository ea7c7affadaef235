import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { appendEvents } from '../../src/store/append-events.ts';
import { cancelJob } from '../../src/store/cancel-job.ts';
import { endJob } from '../../src/store/end-job.ts';
import { getJob } from '../../src/store/get-job.ts';
import { openStore } from '../../src/store/open-store.ts';
import { readEvents } from '../../src/store/read-events.ts';
import { requeueJob } from '../../src/store/requeue-job.ts';
import { setSandbox } from '../../src/store/set-sandbox.ts';
import { startAttempt } from '../../src/store/start-attempt.ts';
import { openTestStore, type TestStore } from '../support/database.ts';
import { running, schedule, take } from './jobs.ts';

let opened: TestStore;
beforeEach(async () => {
  opened = await openTestStore();
});
afterEach(() => opened.close());

const entries = async () => {
  const { rows } = await sql<{
    state: string;
  }>`select state::text from pgboss.job where name = 'jobs'`.execute(opened.store.db);
  return rows.map(({ state }) => state);
};

/** Makes it seem that nobody has been heard of for an hour: what a killed worker leaves. */
const forgetHeartbeats = () =>
  sql`update pgboss.job set heartbeat_on = now() - interval '1 hour' where state = 'active'`.execute(
    opened.store.db,
  );

test('each job goes to one worker, by priority and then by age', async () => {
  const { store } = opened;
  const low = await schedule(store, { request: { priority: -1 } });
  const first = await schedule(store);
  const second = await schedule(store);
  const high = await schedule(store, { request: { priority: 5 } });
  const batches = await Promise.all([store.queue.fetch(2), store.queue.fetch(1), store.queue.fetch(5)]);
  const ids = batches.flat().map(({ jobId }) => jobId);
  expect(ids.toSorted()).toEqual([low.id, first.id, second.id, high.id].toSorted());
  for (const { jobId, deliveryId } of batches.flat()) {
    if (jobId !== first.id) await store.queue.release(deliveryId);
  }
  // What was handed out before goes before what was not, of the same priority.
  const { id: late } = await schedule(store);
  const order = (await store.queue.fetch(10)).map(({ jobId }) => jobId);
  expect(order).toEqual([high.id, second.id, late, low.id]);
});

test('whoever waits for work hears of it at once', async () => {
  const { store } = opened;
  const fn = vi.fn();
  const stop = store.queue.onWork(fn);
  await schedule(store);
  await vi.waitFor(() => expect(fn).toHaveBeenCalled(), { timeout: 2_000 });
  stop();
});

test('a job whose worker is killed goes to another one, and the first can do nothing any more', async () => {
  const { store } = opened;
  const { fence, deliveryId } = await running(store);
  expect(await store.queue.heartbeat([deliveryId])).toEqual([]);
  expect(await store.queue.fetch(1)).toEqual([]);
  await forgetHeartbeats();
  const again = await vi.waitFor(
    async () => {
      const [delivery] = await store.queue.fetch(1);
      if (!delivery) throw new Error('not yet');
      return delivery;
    },
    { timeout: 20_000, interval: 200 },
  );
  expect(again.jobId).toBe(fence.jobId);
  expect(again.deliveryId).not.toBe(deliveryId);
  expect(await store.queue.heartbeat([deliveryId, again.deliveryId])).toEqual([deliveryId]);
  expect(await startAttempt(store, { jobId: fence.jobId, workerId: 'late', deliveryId })).toBeNull();
  const job = await startAttempt(store, { ...again, workerId: 'other' });
  expect(job).toMatchObject({ attempt: 2, worker_id: 'other', status: 'running' });
  await store.queue.done(deliveryId);
  expect(await store.queue.heartbeat([again.deliveryId])).toEqual([]);
});

test('after a crash of the only process everything held is free at once', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  expect(await store.queue.releaseAbandoned()).toBe(1);
  expect(await store.queue.releaseAbandoned()).toBe(0);
  const { job } = await take(store);
  expect(job).toMatchObject({ id: fence.jobId, attempt: 2 });
});

test('a job that is handed back is free at once, keeps its sandbox, and counts no loss', async () => {
  const { store } = opened;
  const handle = { driver: 'd', id: 'i', ref: 'r' };
  const { id } = await schedule(store);
  for (let attempt = 1; attempt <= 5; attempt++) {
    const { job } = await take(store);
    expect(job).toMatchObject({ id, attempt, status: 'running', sandbox: attempt === 1 ? null : handle });
    await setSandbox(store, { jobId: id, attempt }, handle);
    await requeueJob(store, { jobId: id, attempt }, 'the worker stops');
    expect(await getJob(store, id)).toMatchObject({ status: 'scheduled' });
    expect(await entries()).toEqual(['created']);
  }
});

test('a delivery that is handed back with a delay waits that long', async () => {
  const { store } = opened;
  await schedule(store);
  const [delivery] = await store.queue.fetch(1);
  await store.queue.release(delivery?.deliveryId ?? '', 3_600);
  expect(await store.queue.fetch(1)).toEqual([]);
  expect(await entries()).toEqual(['created']);
  // Handed back already: the second time does nothing.
  await store.queue.release(delivery?.deliveryId ?? '');
  expect(await store.queue.fetch(1)).toEqual([]);
});

test('nothing of an ended job stays in the queue', async () => {
  const { store } = opened;
  const { fence, deliveryId } = await running(store);
  await endJob(store, fence, { status: 'complete', error: null, summary: null });
  await store.queue.done(deliveryId);
  await cancelJob(store, (await schedule(store)).id);
  const held = await running(store);
  await cancelJob(store, held.fence.jobId);
  expect(await store.queue.heartbeat([held.deliveryId])).toEqual([held.deliveryId]);
  expect(await entries()).toEqual([]);
});

test('after three workers lost in a row without a step done the job fails', async () => {
  const { store } = opened;
  const { id } = await schedule(store);
  const lose = async () => {
    const { job } = await take(store);
    await store.queue.releaseAbandoned();
    return job;
  };
  await lose();
  expect(await lose()).toMatchObject({ attempt: 2 });
  const { job: third } = await take(store);
  const result = { block: 1, exit_code: 0, signal: null, timed_out: false, duration_ms: 1 };
  await appendEvents(store, { jobId: id, attempt: third?.attempt ?? 0 }, [
    { type: 'block.ended', data: result },
  ]);
  // A step was done: the count begins anew.
  await store.queue.releaseAbandoned();
  expect(await lose()).toMatchObject({ attempt: 4 });
  expect(await lose()).toMatchObject({ attempt: 5 });
  expect((await take(store)).job).toBeNull();
  const job = await getJob(store, id);
  expect(job).toMatchObject({ status: 'failed', error: { code: 'WORKER_LOST' } });
  expect((await readEvents(store, id)).at(-1)?.type).toBe('job.ended');
  expect(await entries()).toEqual([]);
});

test('a second store on the database shares the queue', async () => {
  const { store } = opened;
  const other = await openStore(opened.config, store.log);
  try {
    for (let n = 0; n < 20; n++) await schedule(n % 2 === 0 ? store : other);
    const taken = await Promise.all([store, other].map((each) => each.queue.fetch(15)));
    expect(new Set(taken.flat().map(({ jobId }) => jobId)).size).toBe(20);
    expect(other.installation).toBe(store.installation);
  } finally {
    await other.close();
  }
});
