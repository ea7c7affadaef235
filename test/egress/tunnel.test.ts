import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EgressRefusal } from '../../src/protocol/egress.ts';
import { Mux } from '../../src/protocol/mux/mux.ts';
import { MuxReset, type MuxStream } from '../../src/protocol/mux/stream.ts';
import { parseRanges } from '../../src/sandbox/egress/addresses.ts';
import type { Lookup, ResolvedAddress } from '../../src/sandbox/egress/lookup.ts';
import type { EgressPolicy } from '../../src/sandbox/egress/policy.ts';
import { type EgressConnection, serveEgress } from '../../src/sandbox/egress/serve-egress.ts';

const log = pino({ level: 'silent' });
const LOOPBACK = parseRanges(['127.0.0.0/8']);
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** A server of this machine; `sockets` are the connections that it has. */
async function listen(serve: (socket: Socket) => void, host = '127.0.0.1') {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(0, host);
  await once(server, 'listening');
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

function open(
  policy: EgressPolicy,
  options: { lookup?: Lookup; privateAllow?: typeof LOOPBACK; idleMs?: number } = {},
) {
  const [inside, outside] = duplexPair();
  const seen: EgressConnection[] = [];
  const server = serveEgress(outside, {
    policy,
    privateAllow: LOOPBACK,
    onConnection: (connection) => void seen.push(connection),
    log,
    ...options,
  });
  const session = new Mux(inside);
  cleanups.push(() => {
    server.close();
    inside.destroy();
  });
  return { seen, server, session, inside, outside };
}

/** What comes of a stream for that target: null where it was cut before it was answered. */
async function ask(stream: MuxStream) {
  const { promise, resolve } = Promise.withResolvers<EgressRefusal | { status: 200 } | null>();
  const refused = (error: Error) =>
    resolve(error instanceof MuxReset ? EgressRefusal.parse(JSON.parse(error.why)) : null);
  stream.once('error', refused);
  stream.once('close', () => resolve(null));
  stream.once('accept', () => {
    stream.off('error', refused);
    resolve({ status: 200 });
  });
  return promise;
}

async function dial(session: Mux, authority: string) {
  const stream = session.open(authority);
  return { stream, status: (await ask(stream))?.status };
}

async function refusal(session: Mux, authority: string) {
  const answer = await ask(session.open(authority));
  if (!answer || !('rule' in answer)) throw new Error(`expected a refusal of ${authority}`);
  return answer;
}

const PUBLIC: EgressPolicy = { mode: 'public', allow: [] };
const closed = (stream: MuxStream) => new Promise<void>((resolve) => stream.once('close', () => resolve()));
/** Reads, says nothing, and ends when the other side does. */
const sink = (socket: Socket) => void socket.resume().once('end', () => socket.end());
const echo = (socket: Socket) => void socket.pipe(socket);

describe('the egress tunnel', () => {
  it('carries bytes both ways and half-closes', async () => {
    const { port } = await listen(async (socket) => {
      const asked = await text(socket);
      socket.end(`you said ${asked}`);
    });
    const { session, seen } = open(PUBLIC);
    const { stream, status } = await dial(session, `127.0.0.1:${port}`);
    expect(status).toBe(200);
    stream.end('hello');
    expect(await text(stream)).toBe('you said hello');
    expect(seen).toEqual([
      { host: '127.0.0.1', port, address: '127.0.0.1', allowed: true, rule: 'network.mode=public' },
    ]);
  });

  it('carries much, in order, while another connection stands still', async () => {
    const { port } = await listen(echo);
    const { session } = open(PUBLIC);
    const stuck = await dial(session, `127.0.0.1:${port}`);
    stuck.stream.pause();
    while (stuck.stream.write(Buffer.alloc(65_536))) {}
    const { stream } = await dial(session, `127.0.0.1:${port}`);
    const sent = Buffer.alloc(24 * 1024 * 1024, 'abcdefghijklm');
    stream.end(sent);
    expect((await buffer(stream)).equals(sent)).toBe(true);
  });

  it('denies everything with mode none, and resolves nothing', async () => {
    const lookup = vi.fn<Lookup>();
    const { session, seen } = open({ mode: 'none', allow: [] }, { lookup });
    const { status, rule, error } = await refusal(session, 'example.com:443');
    expect([status, rule, error.code]).toEqual([403, 'network.mode=none', 'EGRESS_DENIED']);
    expect(error.message).toContain('example.com:443');
    expect(error.message).toContain('network.mode=none');
    expect(lookup).not.toHaveBeenCalled();
    expect(seen).toEqual([
      { host: 'example.com', port: 443, address: null, allowed: false, rule: 'network.mode=none' },
    ]);
  });

  it('lets through what the allowlist names and resolves nothing else', async () => {
    const { port } = await listen(echo);
    const lookup = vi.fn<Lookup>(async () => [{ address: '127.0.0.1', family: 4 }]);
    const { session, seen } = open({ mode: 'allowlist', allow: ['*.good.test'] }, { lookup });
    expect((await dial(session, `A.good.test.:${port}`)).status).toBe(200);
    const { status, rule } = await refusal(session, `good.test.evil.test:${port}`);
    expect([status, rule]).toEqual([403, `network.allow: no match for good.test.evil.test:${port}`]);
    expect(lookup.mock.calls).toEqual([['a.good.test']]);
    expect(seen.map(({ host, allowed, rule: by }) => [host, allowed, by])).toEqual([
      ['a.good.test', true, 'network.allow: *.good.test'],
      ['good.test.evil.test', false, rule],
    ]);
  });

  it('refuses a name that resolves to a private address, though the allowlist has it', async () => {
    const lookup: Lookup = async () => [{ address: '10.0.0.1', family: 4 }];
    const { session, seen } = open({ mode: 'allowlist', allow: ['good.test'] }, { lookup });
    const { status, rule } = await refusal(session, 'good.test:80');
    expect([status, rule]).toEqual([403, 'private-address 10.0.0.1 (private)']);
    expect(seen[0]?.address).toBe('10.0.0.1');
  });

  it.each([
    '127.0.0.1',
    '[::1]',
    '2130706433',
    '0x7f.1',
    '[::ffff:127.0.0.1]',
    'localhost',
    '169.254.169.254',
  ])('refuses %s while nothing private is opened', async (host) => {
    const { port, sockets } = await listen(echo);
    const { session } = open(PUBLIC, { privateAllow: [] });
    const { status, rule } = await refusal(session, `${host}:${port}`);
    expect(status).toBe(403);
    expect(rule).toMatch(/^private-address \S+ \((loopback|metadata)\)$/);
    expect(sockets.size).toBe(0);
  });

  it('connects to the address that was checked, whatever the name says next', async () => {
    const { port, sockets } = await listen(echo);
    const other = await listen(echo, '127.0.0.2');
    const answers = ['127.0.0.1', '127.0.0.2'];
    const lookup = vi.fn<Lookup>(async () => [{ address: answers.shift() ?? '', family: 4 }]);
    const { session, seen } = open(PUBLIC, { lookup, privateAllow: parseRanges(['127.0.0.1']) });
    expect((await dial(session, `rebind.test:${port}`)).status).toBe(200);
    expect(lookup).toHaveBeenCalledTimes(1);
    expect(sockets.size).toBe(1);
    expect(seen[0]?.address).toBe('127.0.0.1');
    expect((await refusal(session, `rebind.test:${other.port}`)).status).toBe(403);
    expect(other.sockets.size).toBe(0);
  });

  it('leaves out the refused ones of several addresses and tries the rest in turn', async () => {
    const { port } = await listen(echo);
    const lookup: Lookup = async () => [
      { address: '10.0.0.1', family: 4 },
      { address: '127.0.0.9', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    const { session, seen } = open(PUBLIC, { lookup });
    expect((await dial(session, `many.test:${port}`)).status).toBe(200);
    expect(seen[0]?.address).toBe('127.0.0.1');
  });

  it('says what failed when nothing answers', async () => {
    const { port } = await listen(echo);
    const { session, seen } = open(PUBLIC);
    const { status, error } = await refusal(session, `127.0.0.3:${port}`);
    expect([status, error.code]).toEqual([502, 'EGRESS_FAILED']);
    expect(error.message).toContain('ECONNREFUSED');
    expect(seen[0]).toMatchObject({ allowed: true, address: null });
  });

  it('says so when a name has no address', async () => {
    const lookup: Lookup = () => Promise.reject(new Error('getaddrinfo ENOTFOUND gone.test'));
    const { session } = open(PUBLIC, { lookup });
    const { status, error } = await refusal(session, 'gone.test:443');
    expect(status).toBe(502);
    expect(error.message).toContain('ENOTFOUND gone.test');
    const none = open(PUBLIC, { lookup: async () => [] });
    expect((await refusal(none.session, 'empty.test:443')).status).toBe(502);
  });

  it.each(['nonsense', 'a%20b:80', 'host:99999'])('answers the ill-formed target %j', async (authority) => {
    const { session, seen } = open(PUBLIC);
    const { status, error } = await refusal(session, authority);
    expect([status, error.code]).toEqual([422, 'INVALID_ARGUMENT']);
    expect(seen).toEqual([]);
  });

  it('refuses the 513th connection and takes one again when another has gone', async () => {
    const { port } = await listen(sink);
    const { session } = open(PUBLIC);
    const many = await Promise.all(Array.from({ length: 512 }, () => dial(session, `127.0.0.1:${port}`)));
    expect(many.every(({ status }) => status === 200)).toBe(true);
    const { status, error } = await refusal(session, `127.0.0.1:${port}`);
    expect([status, error.code]).toEqual([503, 'EGRESS_FAILED']);
    many[0]?.stream.destroy();
    await vi.waitFor(async () => expect((await dial(session, `127.0.0.1:${port}`)).status).toBe(200));
  });

  it('cuts a connection that carries nothing', async () => {
    const { port, sockets } = await listen(echo);
    const { session } = open(PUBLIC, { idleMs: 50 });
    const { stream } = await dial(session, `127.0.0.1:${port}`);
    await closed(stream);
    await vi.waitFor(() => expect(sockets.size).toBe(0));
  });

  it('passes on a reset, from either side', async () => {
    const { port, sockets } = await listen(sink);
    const { session } = open(PUBLIC);
    const first = await dial(session, `127.0.0.1:${port}`);
    for (const socket of sockets) socket.resetAndDestroy();
    await closed(first.stream);
    expect(first.stream.errored).toBeInstanceOf(MuxReset);
    const second = await dial(session, `127.0.0.1:${port}`);
    await vi.waitFor(() => expect(sockets.size).toBe(1));
    second.stream.destroy();
    await vi.waitFor(() => expect(sockets.size).toBe(0));
  });

  it('closes every connection and the channel when it is closed, or the channel is cut', async () => {
    const { port, sockets } = await listen(sink);
    const ended = open(PUBLIC);
    const cut = open(PUBLIC);
    await dial(ended.session, `127.0.0.1:${port}`);
    await dial(cut.session, `127.0.0.1:${port}`);
    await vi.waitFor(() => expect(sockets.size).toBe(2));
    ended.server.close();
    cut.outside.destroy();
    await vi.waitFor(() => expect(sockets.size).toBe(0));
    expect(ended.outside.destroyed).toBe(true);
  });

  it('gives up a connection whose client has gone meanwhile', async () => {
    const found = Promise.withResolvers<ResolvedAddress[]>();
    const lookup: Lookup = () => found.promise;
    const { port, sockets } = await listen(echo);
    const { session, seen } = open(PUBLIC, { lookup });
    const stream = session.open(`slow.test:${port}`);
    await session.ping();
    stream.destroy();
    await session.ping();
    found.resolve([{ address: '127.0.0.1', family: 4 }]);
    await session.ping();
    expect(sockets.size).toBe(0);
    expect(seen).toEqual([]);
  });

  it('outlasts programs that drop thousands of connections', async () => {
    const { session, outside } = open({ mode: 'none', allow: [] });
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 100; i++) {
        session.open('gone.test:443').destroy();
      }
      await session.ping();
    }
    expect(outside.destroyed).toBe(false);
    expect((await dial(session, 'still.test:443')).status).toBe(403);
  });

  it('survives bytes that are no frames', async () => {
    const [inside, outside] = duplexPair();
    serveEgress(outside, { policy: PUBLIC, privateAllow: [], onConnection: () => {}, log });
    inside.on('error', () => {}).resume();
    inside.write('GET / HTTP/1.1\r\n\r\n'.repeat(100));
    await vi.waitFor(() => expect(outside.destroyed).toBe(true));
  });
});
