import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { buffer, json, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { startTestSandbox } from '../support/sandbox.ts';
import { KEY, startLiveApi, type TestApi } from './start-api.ts';

/** A program: tells what it was asked, answers with headers that reach too far, echoes bodies and upgrades. */
const PROGRAM = `
import { createServer } from 'node:http';
const server = createServer((request, response) => {
  if (request.url === '/echo') return void request.pipe(response);
  if (request.url === '/stream') return void response.write('first ');
  if (request.url === '/away') return void response.writeHead(302, { location: 'http://localhost:3000/in?x=1' }).end();
  response.writeHead(200, {
    'set-cookie': ['own=1; Domain=localhost; Path=/', 'sandbox_ticket=forged'],
    'clear-site-data': '"cookies"', 'x-own': 'kept',
  });
  response.end(JSON.stringify({ url: request.url, method: request.method, headers: request.headers }));
});
server.on('upgrade', (request, socket, head) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nX-Host: ' + request.headers.host + '\\r\\n\\r\\n');
  socket.write(head);
  socket.pipe(socket);
});
server.listen(3000, 'localhost');
`;

let sandbox: Sandbox;
beforeAll(async () => {
  ({ sandbox } = await startTestSandbox({ lasts: 'file' }));
  await sandbox.write('server.mjs', PROGRAM);
  await sandbox.spawn({ argv: ['node', 'server.mjs'] });
  await vi.waitFor(
    async () => expect((await sandbox.ports()).map(({ port }) => port)).toContain(3_000),
    10_000,
  );
});

interface Told {
  url: string;
  method: string;
  headers: Record<string, string>;
}

/** Asks as a browser does that has looked the host name up. */
async function ask(
  { api }: { api: TestApi },
  host: string,
  path: string,
  options: RequestOptions & { body?: Buffer } = {},
): Promise<IncomingMessage> {
  const { port } = new URL(api.url);
  const { body, headers, ...rest } = options;
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path,
    agent: false,
    ...rest,
    headers: { host: `${host}:${port}`, ...(headers as Record<string, string>) },
  });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

describe('without API keys', () => {
  let used: { api: TestApi; id: string };
  let host: string;
  beforeAll(async () => {
    used = await startLiveApi(sandbox, {});
    host = `3000-${used.id}.localhost`;
  });
  afterAll(() => used.api.close());

  it('lists the open ports with their addresses', async () => {
    const listed = (await (await fetch(`${used.api.url}/ports/${used.id}`)).json()) as { ports: unknown[] };
    const { port } = new URL(used.api.url);
    expect(listed.ports).toContainEqual(
      expect.objectContaining({
        port: 3_000,
        command: 'node server.mjs',
        url: `http://${host}:${port}/`,
        path: `${used.api.url}/ports/${used.id}/3000/`,
      }),
    );
    expect(listed.ports).toHaveLength(1);
  });

  it('hands a request to the program as one for localhost, and tells how it came', async () => {
    const { port } = new URL(used.api.url);
    const origin = `http://${host}:${port}`;
    const response = await ask(used, host, '/a%20b//c?d=%2F', {
      method: 'POST',
      headers: {
        origin,
        cookie: 'a=1; sandbox_ticket=x; b=2',
        authorization: 'Basic eDp5',
        connection: 'x-hop',
        'x-hop': '1',
      },
    });
    const told = (await json(response)) as Told;
    expect([response.statusCode, told.url, told.method]).toEqual([200, '/a%20b//c?d=%2F', 'POST']);
    expect(told.headers).toMatchObject({
      host: 'localhost:3000',
      origin: 'http://localhost:3000',
      cookie: 'a=1; b=2',
      authorization: 'Basic eDp5',
      'x-forwarded-host': `${host}:${port}`,
      'x-forwarded-proto': 'http',
    });
    expect(told.headers['x-hop']).toBeUndefined();
  });

  it("keeps a program's cookies on its own host and drops what reaches further", async () => {
    const { headers } = await ask(used, host, '/');
    expect(headers['set-cookie']).toEqual(['own=1; Path=/']);
    expect(headers['clear-site-data']).toBeUndefined();
    expect(headers['x-own']).toBe('kept');
  });

  it('turns a redirect to itself into one to its address', async () => {
    const { port } = new URL(used.api.url);
    expect((await ask(used, host, '/away')).headers.location).toBe(`http://${host}:${port}/in?x=1`);
    const below = await ask(used, 'localhost', `/ports/${used.id}/3000/away`);
    expect(below.headers.location).toBe(`/ports/${used.id}/3000/in?x=1`);
  });

  it('streams a body both ways', async () => {
    const body = randomBytes(24 * 2 ** 20);
    const response = await ask(used, host, '/echo', { method: 'PUT', body });
    const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    expect(hash(await buffer(response))).toBe(hash(body));
  });

  it('gives an answer that goes on as it comes, and ends it with the client', async () => {
    const response = await ask(used, host, '/stream');
    const [first] = (await once(response, 'data')) as [Buffer];
    expect(first.toString()).toBe('first ');
    response.destroy();
  });

  it('never answers with the API on a port’s host', async () => {
    const told = (await json(await ask(used, host, '/jobs'))) as Told;
    expect(told.url).toBe('/jobs');
  });

  it('shows what is below /ports without the origin of the API', async () => {
    const response = await ask(used, 'localhost', `/ports/${used.id}/3000/x/y?z`);
    expect(((await json(response)) as Told).url).toBe('/x/y?z');
    expect(response.headers['content-security-policy']).toMatch(/^sandbox (?!.*same-origin)/);
    expect(response.headers['set-cookie']).toBeUndefined();
  });

  it.each([
    ['a port that nothing listens on', () => `4-${used.id}.localhost`, '/', 502, 'PORT_NOT_OPEN'],
    ['an unknown job', () => `3000-${'0'.repeat(22)}.localhost`, '/', 404, 'JOB_NOT_FOUND'],
    ['no port', () => 'localhost', '/ports/x/y', 400, 'INVALID_ID'],
    ['a port out of range', () => 'localhost', `/ports/${'0'.repeat(22)}/99999/`, 404, 'NOT_FOUND'],
  ])('%s: %s', async (_what, name, path, status, code) => {
    const response = await ask(used, name(), path);
    expect([response.statusCode, ((await json(response)) as { code: string }).code]).toEqual([status, code]);
  });

  it.each(['own host', 'below /ports'])('carries a WebSocket: %s', async (way) => {
    const own = way === 'own host';
    const [socket, response, head] = await upgrade(
      used.api,
      own ? host : 'localhost',
      own ? '/ws' : `/ports/${used.id}/3000/ws`,
    );
    expect([response.statusCode, response.headers['x-host']]).toEqual([101, 'localhost:3000']);
    socket.write('ping');
    const echoed = head.length > 0 ? head : ((await once(socket, 'data')) as [Buffer])[0];
    expect(echoed.toString()).toBe('ping');
    socket.destroy();
  });

  it('refuses a WebSocket below /ports to a page of another site', async () => {
    const request = upgradeRequest(used.api, 'localhost', `/ports/${used.id}/3000/ws`, {
      origin: 'http://evil.example',
    });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect([response.statusCode, await text(response)]).toEqual([403, expect.stringContaining('FORBIDDEN')]);
  });
});

function upgradeRequest(api: TestApi, host: string, path: string, headers: Record<string, string> = {}) {
  const { port } = new URL(api.url);
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path,
    headers: { host: `${host}:${port}`, connection: 'Upgrade', upgrade: 'websocket', ...headers },
  });
  request.end();
  return request;
}

async function upgrade(api: TestApi, host: string, path: string) {
  const [response, socket, head] = await once(upgradeRequest(api, host, path), 'upgrade');
  return [socket, response, head] as [import('node:net').Socket, IncomingMessage, Buffer];
}

describe('with API keys', () => {
  let used: { api: TestApi; id: string };
  beforeAll(async () => {
    used = await startLiveApi(sandbox, { API_KEYS: KEY });
  });
  afterAll(() => used.api.close());
  const host = () => `3000-${used.id}.localhost`;
  const ticketFor = async (body: object) => {
    const response = await fetch(`${used.api.url}/tickets/${used.id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': KEY },
      body: JSON.stringify(body),
    });
    return { status: response.status, ...((await response.json()) as { ticket: string; link: string }) };
  };

  it('asks for a key, and does not hand it to the program', async () => {
    expect((await ask(used, host(), '/')).statusCode).toBe(401);
    for (const headers of [{ authorization: `Bearer ${KEY}` }, { 'x-api-key': KEY }]) {
      const told = (await json(await ask(used, host(), '/', { headers }))) as Told;
      expect(JSON.stringify(told)).not.toContain(KEY);
    }
  });

  it('opens one port of one job to who has its ticket, by a cookie that the program does not see', async () => {
    const { status, ticket, link } = await ticketFor({ scope: 'port', port: 3_000 });
    expect(status).toBe(201);
    const { search, hostname } = new URL(link);
    expect(hostname).toBe(host());
    const first = await ask(used, host(), `/page${search}&a=1`);
    expect([first.statusCode, first.headers.location]).toEqual([303, '/page?a=1']);
    const cookie = first.headers['set-cookie']?.[0] ?? '';
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).not.toMatch(/domain/i);
    const told = (await json(
      await ask(used, host(), '/page', { headers: { cookie: cookie.split(';')[0] ?? '' } }),
    )) as Told;
    expect(told.url).toBe('/page');
    expect(JSON.stringify(told)).not.toContain(ticket);
    const other = await ask(used, `3001-${used.id}.localhost`, '/', {
      headers: { cookie: cookie.split(';')[0] ?? '' },
    });
    expect(other.statusCode).toBe(401);
  });

  it('takes no ticket that is forged, of another scope, or none of a port', async () => {
    const { ticket } = await ticketFor({ scope: 'terminal' });
    for (const wrong of [ticket, `${ticket}x`, 'e30.e30', '.', 'x'.repeat(5_000)]) {
      expect((await ask(used, host(), `/?ticket=${wrong}`)).statusCode).toBe(401);
    }
    expect((await ticketFor({ scope: 'terminal', port: 3 })).status).toBe(422);
    expect((await ticketFor({ scope: 'port' })).status).toBe(422);
  });
});
