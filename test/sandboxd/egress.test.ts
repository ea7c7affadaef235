import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcp, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectSandbox } from '../../src/sandbox/connection/connect-sandbox.ts';
import { parseRanges } from '../../src/sandbox/egress/addresses.ts';
import { createGate, type EgressGate } from '../../src/sandbox/egress/gate.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { LocalSandbox } from './local-sandbox.ts';
import { collect } from './support.ts';

const log = pino({ level: 'silent' });
const MEGABYTES = 20_000_000;

describe('egress', () => {
  let local: LocalSandbox;
  let sandbox: Sandbox;
  let gate: EgressGate;
  let proxyPort: number;
  let web: Server;
  let webPort: number;

  beforeAll(async () => {
    local = await LocalSandbox.start();
    gate = createGate({ privateAllow: parseRanges(['127.0.0.0/8']), log });
    sandbox = await connectSandbox(local.driver, local.handle, { egress: (channel) => gate.serve(channel) });
    const output = collect();
    await sandbox.exec({ shell: 'echo $http_proxy' }, output);
    proxyPort = Number(new URL(output.stdout.trim()).port);
    web = createServer(async (incoming, answer) => {
      const { method, url, headers } = incoming;
      if (url === '/big') return void answer.end(Buffer.alloc(MEGABYTES, 'x'));
      if (url === '/cut') {
        answer.writeHead(200, { 'content-length': '1000' });
        answer.write('some');
        return void setTimeout(() => answer.destroy(), 20);
      }
      const body = (await buffer(incoming)).length;
      answer.writeHead(201, 'Made', { 'set-cookie': ['a=1', 'b=2'], 'x-hop': '1', connection: 'x-hop' });
      answer.end(JSON.stringify({ method, url, headers, body }));
    });
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    webPort = (web.address() as AddressInfo).port;
  });
  beforeEach(() => gate.assign({ mode: 'public', allow: [] }, () => {}));
  afterAll(async () => {
    await sandbox?.close();
    gate?.close();
    web?.close();
    await local?.[Symbol.asyncDispose]();
  });

  async function get(path: string, options: object = {}, body?: Buffer): Promise<IncomingMessage> {
    const sent = request({ host: '127.0.0.1', port: proxyPort, path, ...options });
    sent.end(body);
    const [answer] = await once(sent, 'response');
    return answer;
  }
  async function tunnel(authority: string): Promise<{ status: string; head: string; socket: Socket }> {
    const socket = connect(proxyPort, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`);
    let head = '';
    while (!head.includes('\r\n\r\n')) head += (await once(socket, 'data'))[0].toString('latin1');
    return { status: head.split('\r\n')[0] ?? '', head, socket };
  }

  it('passes on a request for a whole address, in origin form, without what is between hops', async () => {
    const answer = await get(
      `http://127.0.0.1:${webPort}/a/b?c=d`,
      {
        method: 'PUT',
        headers: { 'proxy-authorization': 'x', 'x-own': 'kept', 'x-hop': '1', connection: 'x-hop' },
      },
      Buffer.alloc(500_000),
    );
    expect([answer.statusCode, answer.statusMessage]).toEqual([201, 'Made']);
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(answer.headers['x-hop']).toBeUndefined();
    const seen = JSON.parse(await text(answer));
    expect(seen).toMatchObject({ method: 'PUT', url: '/a/b?c=d', body: 500_000 });
    expect(seen.headers).toMatchObject({ host: `127.0.0.1:${webPort}`, 'x-own': 'kept' });
    expect(seen.headers).not.toHaveProperty('proxy-authorization');
    expect(seen.headers).not.toHaveProperty('x-hop');
  });

  it('passes on large answers whole, and cut ones as cut', async () => {
    expect((await buffer(await get(`http://127.0.0.1:${webPort}/big`))).length).toBe(MEGABYTES);
    await expect(get(`http://127.0.0.1:${webPort}/cut`).then(text)).rejects.toThrow();
  });

  it('tunnels both ways, each end on its own', async () => {
    const server = createTcp({ allowHalfOpen: true }, async (socket) => {
      const bytes = await buffer(socket);
      socket.end(`got ${bytes.length}`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { status, socket } = await tunnel(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(status).toBe('HTTP/1.1 200 Connection established');
    socket.end(Buffer.alloc(3_000_000));
    expect(await text(socket)).toBe('got 3000000');
    server.close();
  });

  it('ends the one side when the other breaks', async () => {
    const sockets: Socket[] = [];
    const server = createTcp((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const first = await tunnel(authority);
    await vi.waitFor(() => expect(sockets).toHaveLength(1));
    sockets[0]?.resetAndDestroy();
    await once(first.socket.resume(), 'close');
    const second = await tunnel(authority);
    await vi.waitFor(() => expect(sockets).toHaveLength(2));
    second.socket.destroy();
    await vi.waitFor(() => expect(sockets[1]?.destroyed).toBe(true));
    server.close();
  });

  it('tells a program that it was refused, by which rule, and what to do', async () => {
    gate.assign({ mode: 'none', allow: [] }, () => {});
    const answer = await get('http://example.com/');
    expect(answer.statusCode).toBe(403);
    expect(answer.headers['x-egress-rule']).toBe('network.mode=none');
    expect(answer.statusMessage).toContain('network.mode=none');
    expect(await text(answer)).toMatch(/example\.com:80 is not allowed.*\n.*policy/);
    const { status, head, socket } = await tunnel('example.com:443');
    expect(status).toBe('HTTP/1.1 403 Forbidden by the network policy: network.mode=none');
    expect(head.toLowerCase()).toContain('x-egress-rule: network.mode=none');
    expect(head + (await text(socket))).toContain('example.com:443 is not allowed');
  });

  it('tells a program that the other side cannot be reached', async () => {
    const answer = await get('http://127.0.0.1:1/');
    expect(answer.statusCode).toBe(502);
    expect(await text(answer)).toContain('127.0.0.1:1 could not be reached');
  });

  it('answers what is no request for a proxy', async () => {
    expect((await get('/')).statusCode).toBe(400);
    expect((await get('https://example.com/')).statusCode).toBe(400);
    expect((await tunnel('nonsense')).status).toContain('HTTP/1.1 422');
  });

  it('comes back when its channel is cut, and requests wait for it', async () => {
    for (const { channel, socket } of local.sockets) if (channel === 'egress') socket.destroy();
    const answers = await Promise.all([1, 2, 3].map((n) => get(`http://127.0.0.1:${webPort}/${n}`)));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 201, 201]);
    for (const answer of answers) answer.resume();
  });

  it('carries many connections at once', async () => {
    const bodies = await Promise.all(
      Array.from({ length: 100 }, async (_, n) =>
        JSON.parse(await text(await get(`http://127.0.0.1:${webPort}/${n}`))),
      ),
    );
    expect(bodies.map(({ url }) => url)).toEqual(Array.from({ length: 100 }, (_, n) => `/${n}`));
  });

  it('says that there is no way out when nobody is attached', { timeout: 30_000 }, async () => {
    await using alone = await LocalSandbox.start();
    const attached = await connectSandbox(alone.driver, alone.handle);
    const output = collect();
    await attached.exec({ shell: 'echo $http_proxy' }, output);
    const answer = await get('http://example.com/', { port: new URL(output.stdout.trim()).port });
    expect(answer.statusCode).toBe(503);
    expect(await text(answer)).toContain('no way out');
    await attached.close();
  });

  it('is used by Node.js programs that know nothing of it', async () => {
    const output = collect();
    const script = `fetch('http://example.invalid/').catch((error) => console.log(require('node:util').inspect(error, { depth: 9 })))`;
    gate.assign({ mode: 'allowlist', allow: ['nothing.example'] }, () => {});
    await sandbox.exec({ argv: [process.execPath, '-e', script] }, output);
    expect(output.stdout).toContain('403');
  });
});
