import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventsPage } from '../../src/protocol/events.ts';
import {
  CancelResponse,
  JobResponse,
  JobsResponse,
  LogsResponse,
  StatusResponse,
} from '../../src/protocol/job.ts';
import { appendEvents } from '../../src/store/append-events.ts';
import { appendLog } from '../../src/store/append-log.ts';
import { endJob } from '../../src/store/end-job.ts';
import { RUNBOOK, startApi, type TestApi } from './start-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const get = (path: string, headers: Record<string, string> = {}) => fetch(api.url + path, { headers });
const post = (path: string, body?: object) =>
  fetch(api.url + path, {
    method: 'POST',
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });

const FAILURE = {
  code: 'RUNBOOK_BLOCK_FAILED' as const,
  message: 'block 1 ended with exit code 1',
  hint: 'See the log.',
};

describe('GET /status/:id', () => {
  it('follows the job from scheduled to its end', async () => {
    const id = await api.schedule();
    const status = async () => StatusResponse.parse(await (await get(`/status/${id}`)).json());
    expect(await status()).toEqual({
      job_id: id,
      status: 'scheduled',
      output: null,
      download_link: null,
      logs_link: `${api.url}/logs/${id}`,
      created: expect.stringMatching(/^\d{4}-.*Z$/),
      started: null,
      completed: null,
      error: null,
    });
    const { lease } = await api.start(id);
    expect(await status()).toMatchObject({ status: 'running', started: expect.any(String), completed: null });
    await endJob(api.store, lease, { status: 'failed', error: FAILURE, summary: null });
    expect(await status()).toMatchObject({ status: 'failed', completed: expect.any(String), error: FAILURE });
  });

  it('answers HEAD and a slash at the end', async () => {
    const id = await api.schedule();
    const head = await fetch(`${api.url}/status/${id}`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(100);
    expect((await get(`/status/${id}/`)).status).toBe(200);
  });
});

describe('POST /cancel/:id', () => {
  it('cancels, also twice', async () => {
    const id = await api.schedule();
    for (let i = 0; i < 2; i++) {
      const response = await post(`/cancel/${id}`);
      expect(response.status).toBe(200);
      expect(CancelResponse.parse(await response.json())).toEqual({
        job_id: id,
        cancelled: true,
        status: 'cancelled',
      });
    }
    expect(await (await get(`/status/${id}`)).json()).toMatchObject({ status: 'cancelled' });
  });

  it.each(['complete', 'failed'] as const)('is 409 for a job that is %s', async (status) => {
    const id = await api.schedule();
    const { lease } = await api.start(id);
    await endJob(api.store, lease, { status, error: status === 'failed' ? FAILURE : null, summary: null });
    const response = await post(`/cancel/${id}`);
    expect(response.status).toBe(409);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await response.json()).toMatchObject({
      job_id: id,
      cancelled: false,
      status,
      code: 'JOB_ENDED',
      hint: expect.any(String),
    });
  });

  it.each(['application/x-www-form-urlencoded', 'text/plain', 'application/json'])(
    'takes an empty body of type %s',
    async (type) => {
      const id = await api.schedule();
      const response = await fetch(`${api.url}/cancel/${id}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: '',
      });
      expect(response.status).toBe(200);
    },
  );
});

describe('GET /jobs', () => {
  it('pages through all jobs, newest first', async () => {
    const own = `own-${Date.now()}`;
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift(await api.schedule({ labels: { own, n: String(i) } }));
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const page = JobsResponse.parse(await (await get(`/jobs?limit=2&label=own=${own}${query}`)).json());
      found.push(...page.jobs.map((job) => job.job_id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(found).toEqual(ids);
  });

  it('filters by status, several, and by label with or without a value', async () => {
    const own = `filter-${Date.now()}`;
    const one = await api.schedule({ labels: { own, kind: 'a=b:c' } });
    const two = await api.schedule({ labels: { own } });
    const three = await api.schedule({ labels: { own } });
    await post(`/cancel/${two}`);
    await api.start(three);
    const ids = async (query: string) => {
      const { jobs } = JobsResponse.parse(await (await get(`/jobs?${query}`)).json());
      return jobs.filter((job) => job.labels.own === own).map((job) => job.job_id);
    };
    expect(await ids('status=cancelled')).toEqual([two]);
    expect(await ids('status=cancelled&status=running')).toEqual([three, two]);
    expect(await ids(`label=own%3A${own}`)).toEqual([three, two, one]);
    expect(await ids('label=kind')).toEqual([one]);
    expect(await ids('label=kind=a=b:c')).toEqual([one]);
    expect(await ids('label=kind=other')).toEqual([]);
  });

  it('shows the beginning of a prompt, with whole characters', async () => {
    const id = await api.schedule({ prompt: `${'😀'.repeat(300)}\n${RUNBOOK}` });
    const { jobs } = JobsResponse.parse(await (await get('/jobs?limit=1')).json());
    expect(jobs[0]).toMatchObject({ job_id: id, agent: 'runbook', prompt: '😀'.repeat(200) });
  });
});

describe('GET /job/:id', () => {
  it('tells all of it', async () => {
    const id = await api.schedule();
    const { lease } = await api.start(id);
    const running = JobResponse.parse(await (await get(`/job/${id}`)).json());
    expect(running).toMatchObject({
      status: 'running',
      attempts: 1,
      sandbox: null,
      paused: false,
      output: null,
    });
    expect(running.links).toMatchObject({
      cancel: `${api.url}/cancel/${id}`,
      files: `${api.url}/files/${id}/`,
    });
    expect(running).toMatchObject({ plan: [], notes: [] });
    const call = { step: 1, call_id: 'c' };
    await appendEvents(api.store, lease, [
      { type: 'note.pinned', data: { ...call, note: 1, text: 'Port 8123.' } },
      { type: 'note.pinned', data: { ...call, note: 2, text: 'Wrong.' } },
      { type: 'note.struck', data: { ...call, note: 2 } },
      { type: 'plan.set', data: { ...call, items: [{ text: 'Build it', state: 'doing' }] } },
    ]);
    expect(JobResponse.parse(await (await get(`/job/${id}`)).json())).toMatchObject({
      plan: [{ text: 'Build it', state: 'doing' }],
      notes: [{ note: 1, text: 'Port 8123.', step: 1 }],
    });
    await endJob(api.store, lease, { status: 'complete', error: null, summary: null });
    const ended = JobResponse.parse(await (await get(`/job/${id}`)).json());
    expect(ended.links).not.toHaveProperty('cancel');
  });
});

describe('logs', () => {
  it('are empty at first, and both there while the job runs', async () => {
    const id = await api.schedule();
    const logs = async (query = '') => LogsResponse.parse(await (await get(`/logs/${id}${query}`)).json());
    expect(await logs()).toEqual({
      job_id: id,
      log_type: 'stdout',
      last_1000_lines: '',
      full_log: '',
      full_log_link: `${api.url}/logs/${id}/stdout`,
    });
    const { lease } = await api.start(id);
    await appendLog(api.store, lease, 'stdout', Buffer.from('one\ntwo\n'));
    await appendLog(api.store, lease, 'stderr', Buffer.from([0x6f, 0xff, 0x00, 0x0a]));
    expect(await logs()).toMatchObject({ last_1000_lines: 'one\ntwo\n', full_log: 'one\ntwo\n' });
    expect(await logs('?log_type=stderr')).toMatchObject({ log_type: 'stderr', full_log: 'o\ufffd\0\n' });
  });

  it('give a long log by its link alone, in ranges too', async () => {
    const id = await api.schedule();
    const { lease } = await api.start(id);
    const line = `${'x'.repeat(1_023)}\n`;
    const text = Array.from({ length: 1_500 }, (_, i) => `${i} ${line}`).join('');
    await appendLog(api.store, lease, 'stdout', Buffer.from(text));
    const logs = LogsResponse.parse(await (await get(`/logs/${id}`)).json());
    expect(logs.full_log).toBeNull();
    expect(logs.last_1000_lines).toBe(text.slice(text.indexOf('500 ')).slice(-logs.last_1000_lines.length));
    const whole = await fetch(logs.full_log_link);
    expect(whole.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(Number(whole.headers.get('content-length'))).toBe(text.length);
    expect(await whole.text()).toBe(text);

    const part = await fetch(logs.full_log_link, { headers: { range: 'bytes=5-14' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 5-14/${text.length}`);
    expect(await part.text()).toBe(text.slice(5, 15));
    expect(await (await fetch(logs.full_log_link, { headers: { range: 'bytes=-9' } })).text()).toBe(
      text.slice(-9),
    );
    const beyond = await fetch(logs.full_log_link, { headers: { range: `bytes=${text.length}-` } });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('content-range')).toBe(`bytes */${text.length}`);
    const head = await fetch(logs.full_log_link, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(text.length));
  });

  it('are followed until the job ends', async () => {
    const id = await api.schedule();
    const { lease } = await api.start(id);
    await appendLog(api.store, lease, 'stdout', Buffer.from('early\n'));
    const response = await get(`/logs/${id}/stdout?follow=1`);
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text === 'early\n') await appendLog(api.store, lease, 'stdout', Buffer.from('late\n'));
      if (text === 'early\nlate\n')
        await endJob(api.store, lease, { status: 'complete', error: null, summary: null });
    }
    expect(text).toBe('early\nlate\n');
    expect(await (await get(`/logs/${id}/stdout?follow=1`)).text()).toBe(text);
  });
});

describe('telling a job', () => {
  it('adds a message as an event', async () => {
    const id = await api.schedule();
    const response = await post(`/message/${id}`, { text: 'Use tabs.' });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({
      job_id: id,
      event: { seq: 2, type: 'message.user', data: { text: 'Use tabs.' } },
    });
    const page = EventsPage.parse(await (await get(`/events/${id}?limit=10`)).json());
    expect(page.events.at(-1)).toMatchObject({ data: { text: 'Use tabs.' } });
  });

  it('pauses and resumes', async () => {
    const id = await api.schedule();
    expect(await (await post(`/pause/${id}`)).json()).toEqual({
      job_id: id,
      status: 'scheduled',
      paused: true,
    });
    expect((await post(`/pause/${id}`)).status).toBe(200);
    expect(await (await post(`/resume/${id}`)).json()).toMatchObject({ paused: false });
    expect(await (await post(`/resume/${id}`)).json()).toMatchObject({ code: 'JOB_NOT_PAUSED' });
  });

  it.each(['message', 'pause', 'resume'])('is 409 to %s one that has ended', async (call) => {
    const id = await api.schedule();
    await post(`/cancel/${id}`);
    const response = await post(`/${call}/${id}`, { text: 'x' });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'JOB_ENDED' });
  });
});
