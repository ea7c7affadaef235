import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/protocol/ids.ts';
import type { Job } from '../../src/protocol/job.ts';
import { cancelJob } from '../../src/store/cancel-job.ts';
import { getJob } from '../../src/store/get-job.ts';
import { listJobs } from '../../src/store/list-jobs.ts';
import { openStore } from '../../src/store/open-store.ts';
import { readEvents } from '../../src/store/read-events.ts';
import { scheduleJob } from '../../src/store/schedule-job.ts';
import { openTestStore, type TestStore } from '../support/database.ts';
import { acceptedRequest, schedule } from './jobs.ts';

let opened: TestStore;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

test('a scheduled job is there for others at once, with its event and its place in the queue', async () => {
  const { store } = opened;
  const job = await schedule(store, { request: { env: { b: '1', a: '2' }, labels: { team: 'x' } } });
  const other = await openStore(opened.config, store.log);
  try {
    expect(await getJob(other, job.id)).toEqual(job);
    expect(Object.keys(job.request.env)).toEqual(['b', 'a']);
    expect(job).toMatchObject({
      status: 'scheduled',
      attempt: 0,
      last_seq: 1,
      usage: { steps: 0, cost_usd: 0 },
    });
    expect(await readEvents(other, job.id)).toMatchObject([{ seq: 1, type: 'job.scheduled' }]);
    const taken = await other.queue.fetch(10);
    expect(taken.map(({ jobId }) => jobId)).toContain(job.id);
  } finally {
    await other.close();
    await cancelJob(store, job.id);
  }
});

test('NUL and halves of surrogate pairs become U+FFFD wherever they come', async () => {
  const bad = 'a\0b\ud800c\udc00';
  const good = 'a\u{fffd}b\u{fffd}c\u{fffd}';
  const { store } = opened;
  const job = await schedule(store, { request: { prompt: bad, env: { [bad]: bad }, labels: { l: bad } } });
  const stored = await getJob(store, job.id);
  expect(stored?.request).toMatchObject({ prompt: good, env: { [good]: good }, labels: { l: good } });
});

test('requests with one key and one body in parallel make one job', async () => {
  const { store } = opened;
  const one = (body: string) =>
    scheduleJob(store, {
      request: acceptedRequest(),
      secrets: {},
      inputs: null,
      idempotency: { key: 'k', bodyHash: body },
    });
  const results = await Promise.all(Array.from({ length: 20 }, () => one('h')));
  expect(new Set(results.map(({ job }) => job.id)).size).toBe(1);
  expect(results.filter(({ created }) => created)).toHaveLength(1);
  await expect(one('another')).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', status: 409 });
});

test('the queue takes no more than MAX_QUEUED_JOBS, and has room again when one leaves', async () => {
  const { store, close } = await openTestStore({ MAX_QUEUED_JOBS: '3' });
  try {
    const [first] = [await schedule(store), await schedule(store), await schedule(store)];
    await expect(schedule(store)).rejects.toMatchObject({ code: 'QUEUE_FULL', status: 429 });
    await cancelJob(store, first.id);
    await schedule(store);
  } finally {
    await close();
  }
});

test('input files are the job only once it is scheduled, and go when it is not', async () => {
  const { store } = opened;
  const write = async () => {
    const inputs = await store.artifacts.stageInputs(newId());
    await inputs.write('a/b.txt', 'first');
    await inputs.write('run.sh', [Buffer.from('x'), Buffer.from('yz')], true);
    await inputs.write('a/b.txt', 'second');
    return inputs;
  };
  const idempotency = { key: 'with files', bodyHash: 'h' };
  const inputs = await write();
  expect(await store.artifacts.inputs(inputs.jobId)).toEqual([]);
  const request = acceptedRequest({ files: inputs.files() });
  const { job } = await scheduleJob(store, { request, secrets: {}, inputs, idempotency });
  expect(job.id).toBe(inputs.jobId);
  expect(job.request.files).toEqual([
    { path: 'a/b.txt', bytes: 6, executable: false },
    { path: 'run.sh', bytes: 3, executable: true },
  ]);
  const read = async () => {
    const texts: string[] = [];
    for (const file of await store.artifacts.inputs(job.id)) {
      const pieces: Buffer[] = [];
      for await (const piece of file.open()) pieces.push(piece);
      texts.push(`${file.path}=${Buffer.concat(pieces)}`);
    }
    return texts;
  };
  expect(await read()).toEqual(['a/b.txt=second', 'run.sh=xyz']);

  const again = await write();
  const second = await scheduleJob(store, { request, secrets: {}, inputs: again, idempotency });
  expect(second).toMatchObject({ created: false, job: { id: job.id } });
  const known: string[] = [];
  for await (const id of store.artifacts.jobIds()) known.push(id);
  expect(known).toContain(job.id);
  expect(known).not.toContain(again.jobId);
});

test('jobs are listed newest first, page by page, by status and label, their requests cut short', async () => {
  const { store, close } = await openTestStore();
  try {
    const made: Job[] = [];
    for (let n = 0; n < 7; n++) {
      const labels = n % 2 === 0 ? { parity: 'even' } : { parity: 'odd', [`n${n}`]: '' };
      made.push(await schedule(store, { request: { labels, prompt: 'p'.repeat(1_000) } }));
    }
    const ids = made
      .map(({ id }) => id)
      .sort()
      .reverse();
    const odd = ids.filter((id) => made.find((job) => job.id === id)?.request.labels.parity === 'odd');
    await cancelJob(store, ids[0] ?? '');
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await listJobs(store, { limit: 3, cursor });
      pages.push(page.jobs.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(pages).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
    const of = async (options: Partial<Parameters<typeof listJobs>[1]>) =>
      (await listJobs(store, { limit: 100, ...options })).jobs.map(({ id }) => id);
    expect(await of({ status: 'cancelled' })).toEqual([ids[0]]);
    expect(await of({ label: { name: 'parity', value: 'odd' } })).toEqual(odd);
    expect(await of({ label: { name: 'n3' } })).toEqual([made[3]?.id]);
    expect((await listJobs(store, { limit: 1 })).jobs[0]?.request.prompt).toHaveLength(200);
    await expect(listJobs(store, { limit: 1, cursor: 'x' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
  } finally {
    await close();
  }
});
