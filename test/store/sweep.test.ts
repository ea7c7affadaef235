import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appendLog } from '../../src/store/append-log.ts';
import { endJob } from '../../src/store/end-job.ts';
import { getJob } from '../../src/store/get-job.ts';
import { readEvents } from '../../src/store/read-events.ts';
import { logSize } from '../../src/store/read-log.ts';
import { removeExpired } from '../../src/store/remove-expired.ts';
import { setOutput } from '../../src/store/set-output.ts';
import { setWaiting } from '../../src/store/set-waiting.ts';
import { sweepJobs } from '../../src/store/sweep-jobs.ts';
import { liveWorkers, registerWorker } from '../../src/store/workers.ts';
import { openTestStore, type TestStore } from '../support/database.ts';
import { running, schedule, take } from './jobs.ts';

let opened: TestStore;
beforeEach(async () => {
  opened = await openTestStore({ QUEUE_TIMEOUT_S: '100', WAITING_TIMEOUT_S: '50', RETENTION_DAYS: '10' });
});
afterEach(() => opened.close());

const NOTHING = { queueTimeouts: 0, answerTimeouts: 0, lost: 0, enqueued: 0 };
const DAY_MS = 86_400_000;

const setBack = (id: string, column: 'queued' | 'waiting_since' | 'completed', ms: number) =>
  opened.store.db
    .updateTable('jobs')
    .set({ [column]: new Date(Date.now() - ms) })
    .where('id', '=', id)
    .execute();

test('what goes well is left alone', async () => {
  const { store } = opened;
  await running(store);
  const { fence } = await running(store);
  await setWaiting(store, fence, 'question');
  await schedule(store);
  expect(await sweepJobs(store)).toEqual(NOTHING);
});

test('a job that no worker takes fails in time', async () => {
  const { store } = opened;
  const { id } = await schedule(store);
  const { id: younger } = await schedule(store);
  await setBack(id, 'queued', 101_000);
  expect(await sweepJobs(store)).toEqual({ ...NOTHING, queueTimeouts: 1 });
  expect(await getJob(store, id)).toMatchObject({ status: 'failed', error: { code: 'QUEUE_TIMEOUT' } });
  expect((await store.queue.fetch(5)).map(({ jobId }) => jobId)).toEqual([younger]);
});

test('a job that nobody answers fails in time, and its worker is told', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  await setWaiting(store, fence, 'question');
  await setBack(fence.jobId, 'waiting_since', 51_000);
  const told = new Promise((resolve) => store.notifications.onControl(resolve));
  expect(await sweepJobs(store)).toEqual({ ...NOTHING, answerTimeouts: 1 });
  expect(await getJob(store, fence.jobId)).toMatchObject({
    status: 'failed',
    error: { code: 'ANSWER_TIMEOUT' },
  });
  expect(await told).toBe(fence.jobId);
});

test('a running job that nobody holds is scheduled again, and fails when that goes on', async () => {
  const { store } = opened;
  const { id } = await schedule(store);
  for (let lost = 1; lost <= 3; lost++) {
    await take(store);
    await sql`delete from pgboss.job`.execute(store.db);
    expect(await sweepJobs(store)).toEqual({ ...NOTHING, lost: 1 });
    expect((await getJob(store, id))?.status).toBe(lost < 3 ? 'scheduled' : 'failed');
  }
  const types = (await readEvents(store, id)).map(({ type }) => type);
  expect(types.filter((type) => type === 'job.requeued')).toHaveLength(2);
  expect(await getJob(store, id)).toMatchObject({ error: { code: 'WORKER_LOST' } });
});

test('a waiting job that nobody holds is scheduled again as often as it happens', async () => {
  const { store } = opened;
  const { id } = await schedule(store);
  for (let attempt = 1; attempt <= 5; attempt++) {
    const { job } = await take(store);
    await setWaiting(store, { jobId: id, attempt: job?.attempt ?? 0 }, 'question');
    await store.queue.releaseAbandoned();
    expect(await sweepJobs(store)).toEqual({ ...NOTHING, lost: 1 });
  }
  expect((await getJob(store, id))?.status).toBe('scheduled');
});

test('a scheduled job that the queue lost is put into it again, once', async () => {
  const { store } = opened;
  const { id } = await schedule(store);
  await sql`delete from pgboss.job`.execute(store.db);
  const swept = await Promise.all([sweepJobs(store), sweepJobs(store)]);
  expect(swept.reduce((sum, { enqueued }) => sum + enqueued, 0)).toBe(1);
  expect((await store.queue.fetch(5)).map(({ jobId }) => jobId)).toEqual([id]);
});

test('an entry of the queue that no job has goes', async () => {
  const { store } = opened;
  await store.queue.enqueue(store.db, { jobId: '0'.repeat(22), priority: 0 });
  await sweepJobs(store);
  expect(await store.queue.fetch(5)).toEqual([]);
});

test('a worker that is not heard of is not live', async () => {
  const { store } = opened;
  await registerWorker(store, 'a', { host: 'h' });
  await registerWorker(store, 'b', {});
  await sql`update workers set heartbeat = now() - interval '31 seconds' where id = 'b'`.execute(store.db);
  expect(await liveWorkers(store)).toMatchObject([{ id: 'a', info: { host: 'h' } }]);
});

test('retention takes output, inputs and logs first, and row and events later', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  const id = fence.jobId;
  await appendLog(store, fence, 'stdout', Buffer.from('hello'));
  const output = await store.artifacts.createOutput(id);
  output.stream.end('zip');
  expect(await output.commit()).toBe(3);
  const info = { bytes: 3, files: 1, left_out: 0, sha256: 'x', expires: null };
  await setOutput(store, id, info);
  await endJob(store, fence, { status: 'complete', error: null, summary: null });
  const ended = await getJob(store, id);
  const expires = new Date(Date.parse(ended?.completed ?? '') + 10 * DAY_MS).toISOString();
  expect(ended).toMatchObject({ output: { ...info, expires }, output_expired: false });
  expect(await removeExpired(store)).toBe(0);

  await setBack(id, 'completed', 10 * DAY_MS + 1_000);
  expect(await removeExpired(store)).toBe(1);
  expect(await removeExpired(store)).toBe(0);
  expect(await getJob(store, id)).toMatchObject({ status: 'complete', output: null, output_expired: true });
  expect(await logSize(store, id, 'stdout')).toBe(0);
  await expect(store.artifacts.openOutput(id)).rejects.toMatchObject({ code: 'NO_OUTPUT' });
  expect(await readEvents(store, id)).not.toEqual([]);

  await setBack(id, 'completed', 20 * DAY_MS + 1_000);
  expect(await removeExpired(store)).toBe(1);
  expect(await getJob(store, id)).toBeNull();
  expect(await readEvents(store, id)).toEqual([]);
});
