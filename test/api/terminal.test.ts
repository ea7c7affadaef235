import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { run, startTestSandbox } from '../support/sandbox.ts';
import { KEY, startLiveApi, type TestApi } from './start-api.ts';

let sandbox: Sandbox;
let api: TestApi;
let id = '';
beforeAll(async () => {
  ({ sandbox } = await startTestSandbox({ lasts: 'file' }));
  ({ api, id } = await startLiveApi(sandbox, { API_KEYS: KEY }));
});
afterAll(() => api.close());

interface Seen {
  socket: WebSocket;
  shown: string;
  told: Record<string, unknown>[];
  type(text: string): void;
}

/** A client of a terminal that keeps what it was shown. */
function open(query = '', headers: Record<string, string> = { 'x-api-key': KEY }): Seen {
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/terminal/${id}${query}`, { headers });
  const seen: Seen = { socket, shown: '', told: [], type: (text) => socket.send(Buffer.from(text)) };
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) seen.shown += data.toString();
    else seen.told.push(JSON.parse(data.toString()));
  });
  socket.on('error', () => {});
  onTestFinished(() => socket.terminate());
  return seen;
}

const shows = (seen: Seen, text: string | RegExp, timeout = 20_000) =>
  // The end of it alone: a failure prints what it looked at.
  vi.waitFor(() => expect(seen.shown.slice(-2_000)).toMatch(text), { timeout, interval: 20 });

it('is a real terminal, whose size follows the client', async () => {
  const seen = open('?name=size&rows=30&columns=100');
  await vi.waitFor(
    () => expect(seen.told).toEqual([{ type: 'opened', name: 'size', joined: false }]),
    10_000,
  );
  seen.type('tty; stty size; echo $TERM\r');
  await shows(seen, /\/dev\/pts\/\d+\r\n30 100\r\nxterm-256color/);
  seen.socket.send(JSON.stringify({ type: 'resize', rows: 50, columns: 160 }));
  seen.type('stty size\r');
  await shows(seen, /50 160/);
});

it('interrupts, and says how its program ended', async () => {
  const seen = open('?name=end');
  seen.socket.once('open', () => seen.type('sleep 1000\r'));
  // Not its echo alone: what interrupts bash before that has started it does not keep it from starting it.
  await vi.waitFor(
    async () => expect((await run(sandbox, 'pgrep -fc "^sleep 1000"')).stdout).toBe('1\n'),
    20_000,
  );
  seen.type('\x03');
  seen.type('exit 7\r');
  const [code] = await once(seen.socket, 'close');
  expect(code).toBe(1000);
  expect(seen.told.at(-1)).toEqual({ type: 'ended', exit_code: 7, signal: null });
});

it('goes on when the connection is cut, and shows whoever joins what it has shown', async () => {
  const first = open('?name=lasting');
  first.socket.once('open', () => first.type('marker=still-here; echo $((6*7))-shown\r'));
  await shows(first, /42-shown/);
  first.socket.terminate();
  const second = open('?name=lasting');
  await shows(second, /42-shown/);
  expect(second.told).toEqual([{ type: 'opened', name: 'lasting', joined: true }]);
  second.type('echo "<$marker>"\r');
  await shows(second, /<still-here>/);
});

it('shows one terminal to several, and keeps several apart', async () => {
  const [one, same, other] = [open('?name=a'), open('?name=a'), open('?name=b')];
  await vi.waitFor(() => expect([one, same, other].every(({ told }) => told.length > 0)).toBe(true), 10_000);
  one.type('echo only-$((1+1))\r');
  await shows(one, /only-2/);
  await shows(same, /only-2/);
  other.type('echo $((3+3))-other\r');
  await shows(other, /6-other/);
  expect(other.shown).not.toContain('only-2');
  expect((await sandbox.terminals.list()).find(({ name }) => name === 'a')).toMatchObject({ viewers: 2 });
});

it('holds a flood back to the pace of its reader', async () => {
  const seen = open('?name=flood');
  seen.socket.once('open', () =>
    seen.type('head -c 5000000 /dev/zero | tr "\\0" x; echo; echo done-$((2*2))\r'),
  );
  await shows(seen, /done-4/, 80_000);
  expect(seen.shown.length).toBeGreaterThan(5_000_000);
}, 90_000);

it('lets go of its terminal when the client asked wrongly', async () => {
  const request = httpRequest(`${api.url}/terminal/${id}?name=wrongly`, {
    headers: { 'x-api-key': KEY, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '99' },
  }).end();
  const [response] = await once(request, 'response');
  expect(response.statusCode).toBe(400);
  response.resume();
  await vi.waitFor(async () => {
    const terminals = await sandbox.terminals.list();
    expect(terminals.find(({ name }) => name === 'wrongly')).toMatchObject({ viewers: 0 });
  }, 5_000);
});

it('ends what runs in it when it is closed', async () => {
  const seen = open('?name=closed');
  seen.socket.once('open', () => seen.type('sleep 4242 & nohup sleep 4243 & echo up\r'));
  await shows(seen, /up\r/);
  const closed = once(seen.socket, 'close');
  await sandbox.terminals.close('closed');
  await closed;
  expect((await run(sandbox, 'pgrep -fc "^sleep 424"')).stdout).toBe('0\n');
});

describe('access', () => {
  const refused = async (seen: Seen) => {
    const [, response] = await once(seen.socket, 'unexpected-response');
    return response.statusCode;
  };
  it('needs a key or a ticket', async () => {
    expect(await refused(open('', {}))).toBe(401);
    expect(await refused(open('?ticket=e30.e30', {}))).toBe(401);
    const response = await fetch(`${api.url}/tickets/${id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': KEY },
      body: '{"scope":"terminal"}',
    });
    const { ticket } = (await response.json()) as { ticket: string };
    const seen = open(`?name=ticket&ticket=${ticket}`, {});
    await shows(seen, /\$/);
  });

  it.each([
    ['?name=a/b', 422],
    ['?rows=0', 422],
    ['?columns=9999', 422],
  ])('refuses %s', async (query, status) => {
    expect(await refused(open(query))).toBe(status);
  });

  it('closes with a reason on a message that is none', async () => {
    const seen = open('?name=wrong');
    await once(seen.socket, 'open');
    seen.socket.send('{"type":"dance"}');
    const [code, reason] = await once(seen.socket, 'close');
    expect([code, `${reason}`]).toEqual([4000, expect.stringContaining('resize')]);
  });

  it('serves its page to anyone: it says nothing of the job', async () => {
    const response = await fetch(`${api.url}/terminal/${id}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
    const script = await fetch(`${api.url}/assets/terminal.js`);
    expect([script.status, script.headers.get('content-type')]).toEqual([
      200,
      'text/javascript; charset=utf-8',
    ]);
    const text = await script.text();
    expect(text).toContain("from './xterm.mjs'");
    const again = await fetch(`${api.url}/assets/terminal.js`, {
      headers: { 'if-none-match': script.headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(304);
    expect((await fetch(`${api.url}/assets/%2e%2e%2fpackage.json`)).status).toBe(404);
  });
});
