import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { JobEvent } from '../../src/protocol/events.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { openRfb } from '../support/rfb.ts';
import { run, startTestSandbox } from '../support/sandbox.ts';
import { KEY, startLiveApi, type TestApi } from './start-api.ts';

let sandbox: Sandbox;
let api: TestApi;
let id = '';
beforeAll(async () => {
  ({ sandbox } = await startTestSandbox({ lasts: 'file' }));
  ({ api, id } = await startLiveApi(sandbox, { API_KEYS: KEY }));
  await sandbox.desktop.start();
});
afterAll(() => api.close());

async function call(
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = { 'x-api-key': KEY },
) {
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    ...(text ? (JSON.parse(text) as Record<string, unknown>) : {}),
  } as Record<string, unknown> & { status: number; token: string; ticket: string };
}
const take = (body: object = {}) => call('POST', `/desktop/${id}/control`, body);
const release = (token: string) => call('DELETE', `/desktop/${id}/control?token=${token}`);

async function watch(query = '', headers: Record<string, string> = { 'x-api-key': KEY }) {
  const client = await openRfb(`${api.url.replace('http', 'ws')}/desktop/${id}${query}`, headers);
  onTestFinished(() => client.socket.terminate());
  return client;
}
const pointer = async () =>
  (await run(sandbox, 'xdotool getmouselocation')).stdout.split(' ').slice(0, 2).join(' ');

describe('a viewer', () => {
  it('cannot move the pointer, press a key or set the clipboard, whatever its client sends', async () => {
    await run(sandbox, 'xdotool mousemove 11 22; printf before | xclip -selection clipboard');
    const client = await watch();
    client.pointer(300, 200, 1);
    client.key(0x61);
    client.send(Buffer.concat([Buffer.from([6, 0, 0, 0, 0, 0, 0, 5]), Buffer.from('after')]));
    // Whatever it would have done has been done when the answer to a later message is there.
    client.send(Buffer.from([2, 0, 0, 1, 0, 0, 0, 0]));
    client.send(Buffer.from([3, 0, 0, 0, 0, 0, 0, 16, 0, 16]));
    await new Promise((resolve) => client.socket.once('message', resolve));
    expect(await pointer()).toBe('x:11 y:22');
    expect((await run(sandbox, 'xclip -o -selection clipboard')).stdout).toBe('before');
  });

  it('is cut off for what is no message', async () => {
    const client = await watch();
    client.send(Buffer.from([77]));
    expect((await client.closed)[0]).toBe(1002);
  });

  it('needs a key or a ticket', async () => {
    await expect(watch('', {})).rejects.toThrow('401');
    const { ticket } = await call('POST', `/tickets/${id}`, { scope: 'desktop' });
    await watch(`?ticket=${ticket}`, {});
    const withTicket = { 'x-ticket': ticket };
    expect((await call('GET', `/desktop/${id}/control`, undefined, withTicket)).status).toBe(200);
    expect((await call('POST', `/desktop/${id}/control`, {}, withTicket)).status).toBe(401);
  });
});

describe('control', () => {
  it('lets one person act, tells the agent, and ends with its connection', async () => {
    const { status, token } = await take({ holder: 'Ada' });
    expect(status).toBe(200);
    expect(await take()).toMatchObject({
      status: 409,
      code: 'CONTROL_TAKEN',
      detail: expect.stringContaining('Ada'),
    });
    const client = await watch(`?control=${token}`);
    client.pointer(300, 200);
    await vi.waitFor(async () => expect(await pointer()).toBe('x:300 y:200'), 5_000);
    expect((await release(token)).status).toBe(204);
    expect((await client.closed)[0]).toBe(4_001);
    const events = (await call('GET', `/events/${id}?limit=1000`)).events as JobEvent[];
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['control.taken', 'control.released']),
    );
    expect(events.every((event) => JobEvent.safeParse(event).success)).toBe(true);
  });

  it('is taken with a ticket that allows it', async () => {
    const { ticket } = await call('POST', `/tickets/${id}`, { scope: 'desktop', control: true });
    const headers = { 'x-ticket': ticket };
    const { status, token } = await call('POST', `/desktop/${id}/control`, { ttl_s: 10 }, headers);
    expect(status).toBe(200);
    await release(token);
  });

  it('ends by itself', async () => {
    const { token } = await take({ ttl_s: 10 });
    const client = await watch(`?control=${token}`);
    // As if the time had passed: looked up again at the next sign that something changed.
    await api.store.db.updateTable('desktop_control').set({ expires: new Date() }).execute();
    await call('POST', `/message/${id}`, { text: 'hello' });
    expect((await client.closed)[0]).toBe(4_001);
    expect(await call('GET', `/desktop/${id}/control`)).toMatchObject({ control: null });
  });

  it('is not for a token that has none', async () => {
    await expect(watch('?control=nothing')).rejects.toThrow('4001');
  });
});
