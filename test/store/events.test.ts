import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { NewEvent } from '../../src/protocol/events.ts';
import { addMessage } from '../../src/store/add-message.ts';
import { appendEvents } from '../../src/store/append-events.ts';
import { appendLog } from '../../src/store/append-log.ts';
import { cancelJob } from '../../src/store/cancel-job.ts';
import { endJob } from '../../src/store/end-job.ts';
import { LeaseLost } from '../../src/store/fence.ts';
import { getJob } from '../../src/store/get-job.ts';
import { pauseJob } from '../../src/store/pause-job.ts';
import { readEvents } from '../../src/store/read-events.ts';
import { requeueJob } from '../../src/store/requeue-job.ts';
import { resumeJob } from '../../src/store/resume-job.ts';
import { setRunning } from '../../src/store/set-running.ts';
import { setSandbox } from '../../src/store/set-sandbox.ts';
import { setWaiting } from '../../src/store/set-waiting.ts';
import { startAttempt } from '../../src/store/start-attempt.ts';
import { openTestStore, type TestStore } from '../support/database.ts';
import { notice, running, schedule, take } from './jobs.ts';

let opened: TestStore;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

const COMPLETE = { status: 'complete', error: null, summary: 'done' } as const;

test('50 appenders in parallel leave no gap, and a reader never sees a number before those below it', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  let done = false;
  const gaps: number[][] = [];
  const reading = (async () => {
    while (!done) {
      const seqs = (await readEvents(store, fence.jobId)).map(({ seq }) => seq);
      if (seqs.some((seq, index) => seq !== index + 1)) gaps.push(seqs);
    }
  })();
  const appenders = Array.from({ length: 50 }, (_, n) =>
    appendEvents(store, fence, [notice(`${n}a`), notice(`${n}b`)]),
  );
  const written = (await Promise.all(appenders)).flat();
  done = true;
  await reading;
  expect(gaps).toEqual([]);
  const events = await readEvents(store, fence.jobId);
  expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 102 }, (_, n) => n + 1));
  expect(events.slice(2)).toEqual(written.sort((a, b) => a.seq - b.seq));
  expect((await getJob(store, fence.jobId))?.last_seq).toBe(102);
  const page = await readEvents(store, fence.jobId, { after: 100, limit: 1 });
  expect(page.map(({ seq }) => seq)).toEqual([101]);
});

test('replies of the model add up; the cost is not known once one price is not', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  const reply = (cost_usd: number | null): NewEvent => ({
    type: 'model.reply',
    data: {
      step: 1,
      model: 'a/b',
      text: '',
      tool_calls: [{ id: '1', name: 'shell', input: { zebra: 1, ant: '\0' } }],
      finish_reason: 'stop',
      usage: { input_tokens: 10, cached_input_tokens: 4, output_tokens: 3, cost_usd },
      duration_ms: 1,
    },
  });
  const [event] = await appendEvents(store, fence, [reply(0.5), notice('x'), reply(0.25)]);
  expect((await getJob(store, fence.jobId))?.usage).toEqual({
    steps: 2,
    input_tokens: 20,
    cached_input_tokens: 8,
    output_tokens: 6,
    cost_usd: 0.75,
  });
  // Members keep their order, so that what a provider is sent again is the same to the byte.
  const [stored] = await readEvents(store, fence.jobId, { after: (event?.seq ?? 0) - 1, limit: 1 });
  expect(JSON.stringify(stored?.data)).toContain('{"zebra":1,"ant":"\u{fffd}"}');
  await appendEvents(store, fence, [reply(null)]);
  await appendEvents(store, fence, [reply(1)]);
  expect((await getJob(store, fence.jobId))?.usage).toMatchObject({ steps: 4, cost_usd: null });
});

test('an attempt that is over can write nothing', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  await requeueJob(store, fence, 'test');
  const writes = (): (() => Promise<unknown>)[] => [
    () => appendEvents(store, fence, [notice('late')]),
    () => appendLog(store, fence, 'stdout', Buffer.from('late')),
    () => setWaiting(store, fence, 'question'),
    () => setRunning(store, fence),
    () => setSandbox(store, fence, { driver: 'd', id: 'i', ref: 'r' }),
    () => requeueJob(store, fence, 'late'),
    () => endJob(store, fence, COMPLETE),
  ];
  for (const write of writes()) await expect(write()).rejects.toBeInstanceOf(LeaseLost);
  const { job } = await take(store);
  expect(job).toMatchObject({ id: fence.jobId, attempt: 2 });
  const before = await getJob(store, fence.jobId);
  for (const write of writes()) await expect(write()).rejects.toBeInstanceOf(LeaseLost);
  expect(await getJob(store, fence.jobId)).toEqual(before);
  await cancelJob(store, fence.jobId);
  expect(await endJob(store, fence, COMPLETE)).toBe(false);
  await expect(appendEvents(store, fence, [notice('late')])).rejects.toBeInstanceOf(LeaseLost);
});

test('of a cancellation and an end at the same time one wins, and stays', async () => {
  const { store } = opened;
  const outcomes = new Set<string>();
  for (let round = 0; round < 20; round++) {
    const { fence } = await running(store);
    const [cancelled, ended] = await Promise.all([
      cancelJob(store, fence.jobId),
      endJob(store, fence, COMPLETE),
    ]);
    expect(cancelled?.changed).toBe(!ended);
    const job = await getJob(store, fence.jobId);
    expect(job?.status).toBe(ended ? 'complete' : 'cancelled');
    expect(cancelled?.job.status).toBe(job?.status);
    expect(job?.completed).not.toBeNull();
    const endings = (await readEvents(store, fence.jobId)).filter(({ type }) => type === 'job.ended');
    expect(endings).toHaveLength(1);
    outcomes.add(job?.status ?? '');
  }
  expect([...outcomes].every((status) => status === 'complete' || status === 'cancelled')).toBe(true);
});

test('a cancelled job leaves the queue, and starting it does nothing', async () => {
  const { store } = opened;
  const { id } = await schedule(store);
  expect(await cancelJob(store, id)).toMatchObject({ changed: true, job: { status: 'cancelled' } });
  expect(await cancelJob(store, id)).toMatchObject({ changed: false, job: { status: 'cancelled' } });
  expect(await store.queue.fetch(10)).toEqual([]);
  expect(await startAttempt(store, { jobId: id, workerId: 'w' })).toBeNull();
  expect(await cancelJob(store, '0'.repeat(22))).toBeNull();
});

test('time spent waiting is counted', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  await setWaiting(store, fence, 'question');
  await setWaiting(store, fence, 'question');
  expect(await getJob(store, fence.jobId)).toMatchObject({ status: 'waiting', waited_ms: 0 });
  await store.db
    .updateTable('jobs')
    .set({ waiting_since: new Date(Date.now() - 5_000) })
    .where('id', '=', fence.jobId)
    .execute();
  await setRunning(store, fence);
  await setRunning(store, fence);
  const job = await getJob(store, fence.jobId);
  expect(job?.status).toBe('running');
  expect(job?.waited_ms).toBeGreaterThanOrEqual(5_000);
  expect(job?.waited_ms).toBeLessThan(15_000);
  const types = (await readEvents(store, fence.jobId)).map(({ type }) => type);
  expect(types).toEqual(['job.scheduled', 'job.started', 'job.waiting', 'job.resumed']);
});

test('messages, pause and resume reach a job until it has ended', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  expect(await addMessage(store, fence.jobId, 'hi')).toMatchObject({ seq: 3, type: 'message.user' });
  expect(await pauseJob(store, fence.jobId)).toMatchObject({ pause_requested: true });
  expect(await pauseJob(store, fence.jobId)).toMatchObject({ pause_requested: true });
  expect(await resumeJob(store, fence.jobId)).toMatchObject({ pause_requested: false });
  await expect(resumeJob(store, fence.jobId)).rejects.toMatchObject({ code: 'JOB_NOT_PAUSED' });
  await endJob(store, fence, COMPLETE);
  for (const call of [() => addMessage(store, fence.jobId, 'x'), () => pauseJob(store, fence.jobId)]) {
    await expect(call()).rejects.toMatchObject({ code: 'JOB_ENDED', status: 409 });
  }
  await expect(resumeJob(store, fence.jobId)).rejects.toMatchObject({ code: 'JOB_ENDED' });
  await expect(addMessage(store, '0'.repeat(22), 'x')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
});

test('subscribers hear of their job alone; the worker hears of what it has to obey', async () => {
  const { store } = opened;
  const { fence } = await running(store);
  const { fence: other } = await running(store);
  const mine = vi.fn();
  const control = vi.fn();
  const unsubscribe = store.notifications.subscribe(fence.jobId, mine);
  const off = store.notifications.onControl(control);
  const heard = async (count: number) => vi.waitFor(() => expect(mine).toHaveBeenCalledTimes(count));
  await appendEvents(store, other, [notice('x')]);
  await appendEvents(store, fence, [notice('x')]);
  await heard(1);
  for (let n = 0; n < 20; n++) await appendLog(store, fence, 'stdout', Buffer.from('x'));
  await vi.waitFor(() => expect(mine.mock.calls.length).toBeGreaterThanOrEqual(2));
  // At a bounded rate: one for every 50 ms, not one for each of the twenty.
  expect(mine.mock.calls.length).toBeLessThan(15);
  expect(control).not.toHaveBeenCalled();
  await cancelJob(store, fence.jobId);
  await vi.waitFor(() => expect(control).toHaveBeenCalledWith(fence.jobId));
  const before = mine.mock.calls.length;
  unsubscribe();
  off();
  const probe = vi.fn();
  store.notifications.subscribe(other.jobId, probe);
  await cancelJob(store, other.jobId);
  await vi.waitFor(() => expect(probe).toHaveBeenCalled());
  expect(mine).toHaveBeenCalledTimes(before);
  expect(control).toHaveBeenCalledTimes(1);
});
