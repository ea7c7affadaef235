import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JobEvent } from '../../src/protocol/events.ts';
import { appendEvents } from '../../src/store/append-events.ts';
import { endJob } from '../../src/store/end-job.ts';
import { startApi, type TestApi } from './start-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ deadlines: { heartbeat: 50 } });
});
afterAll(() => api.close());

const notice = (text: string) => ({ type: 'notice' as const, data: { text } });
const COMPLETE = { status: 'complete' as const, error: null, summary: 'done' };

/** A job with `count` notices between its opening events and its end. */
async function endedJob(count: number): Promise<string> {
  const id = await api.schedule();
  const { lease } = await api.start(id);
  await appendEvents(
    api.store,
    lease,
    Array.from({ length: count }, (_, i) => notice(`notice ${i}`)),
  );
  await endJob(api.store, lease, COMPLETE);
  return id;
}

interface Message {
  id: number;
  event: string;
  data: JobEvent;
}

/** The messages of a stream as they come; leaving the loop cuts the connection. */
async function* read(response: Response): AsyncGenerator<Message> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block.split('\n').map((line) => [line.split(': ', 1)[0], line.replace(/^\w*: /, '')]),
      );
      if (fields.data)
        yield { id: Number(fields.id), event: String(fields.event), data: JSON.parse(fields.data) };
    }
  }
}

async function collect(response: Response): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of read(response)) messages.push(message);
  return messages;
}

const open = (id: string, query = '', headers: Record<string, string> = {}) =>
  fetch(`${api.url}/events/${id}${query}`, { headers: { accept: 'text/event-stream', ...headers } });

describe('GET /events/:id as a stream', () => {
  it('tells every event of an ended job and ends', async () => {
    const id = await endedJob(250);
    const response = await open(id);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    const messages = await collect(response);
    expect(messages.map((message) => message.id)).toEqual(Array.from({ length: 253 }, (_, i) => i + 1));
    expect(messages[0]).toMatchObject({ event: 'job.scheduled', data: { seq: 1, type: 'job.scheduled' } });
    expect(messages.at(-1)).toMatchObject({ event: 'job.ended', data: { data: { status: 'complete' } } });
  });

  it.each([
    ['?after=', (id: string, after: number) => open(id, `?after=${after}`)],
    ['Last-Event-ID', (id: string, after: number) => open(id, '', { 'last-event-id': String(after) })],
  ])('goes on after %s', async (_name, openAfter) => {
    const id = await endedJob(3);
    const messages = await collect(await openAfter(id, 4));
    expect(messages.map((message) => message.id)).toEqual([5, 6]);
    expect((await openAfter(id, 6)).status).toBe(204);
  });

  it('tells events as they come, with heartbeats between, and ends with the job', async () => {
    const id = await api.schedule();
    const { lease } = await api.start(id);
    const response = await open(id);
    let raw = '';
    const done = (async () => {
      for await (const chunk of response.body ?? []) raw += Buffer.from(chunk).toString();
    })();
    await vi.waitFor(() => expect(raw).toContain('event: job.started'));
    await vi.waitFor(() => expect(raw).toMatch(/\n:\n\n/));
    await appendEvents(api.store, lease, [notice('late')]);
    await vi.waitFor(() => expect(raw).toContain('"late"'));
    await endJob(api.store, lease, COMPLETE);
    await done;
    expect(raw).toMatch(/^retry: \d+\n\n/);
    expect(raw).toMatch(/event: job\.ended\ndata: .*\n\n(:\n\n)*$/);
  });

  it('loses and repeats nothing, whatever is cut', async () => {
    const id = await api.schedule();
    const { lease } = await api.start(id);
    const writing = (async () => {
      for (let i = 0; i < 200; i++) {
        await appendEvents(
          api.store,
          lease,
          Array.from({ length: 1 + (i % 3) }, (_, n) => notice(`${i}.${n}`)),
        );
      }
      await endJob(api.store, lease, COMPLETE);
    })();
    const seen: number[] = [];
    for (let connections = 0; ; connections++) {
      const response = await open(id, '', seen.length > 0 ? { 'last-event-id': String(seen.at(-1)) } : {});
      if (response.status === 204) {
        expect(connections).toBeGreaterThan(10);
        break;
      }
      let left = 1 + Math.floor(Math.random() * 30);
      for await (const message of read(response)) {
        seen.push(message.id);
        if (--left === 0) break;
      }
    }
    await writing;
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => i + 1));
    expect(seen.length).toBeGreaterThan(400);
  });

  it('holds nothing for clients that have gone', async () => {
    const id = await api.schedule();
    const cuts = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const cut = new AbortController();
        await fetch(`${api.url}/events/${id}`, { signal: cut.signal });
        return cut;
      }),
    );
    for (const cut of cuts) cut.abort();
    await vi.waitFor(async () => {
      const text = await (await fetch(`${api.url}/metrics`)).text();
      expect(text).toMatch(/^containerized_agent_open_streams 0$/m);
    });
  });

  it('reads ahead for a slow client by no more than a few pages', async () => {
    const id = await api.schedule();
    const { lease } = await api.start(id);
    const text = 'x'.repeat(20_000);
    for (let i = 0; i < 20; i++) {
      await appendEvents(
        api.store,
        lease,
        Array.from({ length: 100 }, () => notice(text)),
      );
    }
    await endJob(api.store, lease, COMPLETE);
    const before = process.memoryUsage().rss;
    const responses = await Promise.all(Array.from({ length: 10 }, () => open(id)));
    // 40 MB for each that is not read: buffered they would be 400 MB.
    await fetch(`${api.url}/healthz`);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
    for (const response of responses) await response.body?.cancel();
  });
});

describe('GET /events/:id as a page', () => {
  it('gives pages by Accept or by limit', async () => {
    const id = await endedJob(3);
    const page = async (query: string, headers = {}) =>
      (await fetch(`${api.url}/events/${id}${query}`, { headers })).json();
    expect(await page('?limit=2')).toMatchObject({
      events: [{ seq: 1 }, { seq: 2 }],
      next_after: 2,
      ended: false,
    });
    expect(await page('?limit=100&after=4')).toMatchObject({
      events: [{ seq: 5 }, { seq: 6 }],
      next_after: 6,
      ended: true,
    });
    expect(await page('', { accept: 'application/json' })).toMatchObject({ next_after: 6, ended: true });
    expect(await page('?after=6&limit=1')).toEqual({ events: [], next_after: 6, ended: true });
  });
});
