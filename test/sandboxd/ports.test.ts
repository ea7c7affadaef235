import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { useSandbox } from './support.ts';

const used = useSandbox();

/** A server on a free port of loopback, which in these tests is the sandbox's too. */
async function listen(serve: (socket: Socket) => void, host = '127.0.0.1'): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

it('carries bytes both ways, and each side ends when it wants to', async () => {
  const port = await listen(async (socket) => socket.end(`got ${await text(socket)}`));
  const stream = await used.sandbox.openPort(port);
  stream.end('all of it');
  expect(await text(stream)).toBe('got all of it');
});

it('lets a program end first and still hear what comes', async () => {
  const heard = Promise.withResolvers<string>();
  const port = await listen(async (socket) => {
    socket.end('bye');
    heard.resolve(await text(socket));
  });
  const stream = await used.sandbox.openPort(port);
  expect(await text(stream)).toBe('bye');
  stream.end('still here');
  expect(await heard.promise).toBe('still here');
});

it('echoes bytes unchanged', async () => {
  const port = await listen((socket) => void socket.pipe(socket));
  const bytes = randomBytes(100_000);
  const stream = await used.sandbox.openPort(port);
  stream.end(bytes);
  expect(Buffer.compare(await buffer(stream), bytes)).toBe(0);
});

it('reaches programs that listen on ::1 alone', async () => {
  const port = await listen((socket) => void socket.end('six'), '::1');
  const stream = await used.sandbox.openPort(port);
  stream.end();
  expect(await text(stream)).toBe('six');
});

it('says when nothing listens', async () => {
  const port = await listen(() => {});
  await expect(used.sandbox.openPort(1)).rejects.toMatchObject({ code: 'PORT_NOT_OPEN' });
  expect(port).toBeGreaterThan(0);
});

it('fails when the program breaks the connection', async () => {
  const port = await listen((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const stream = await used.sandbox.openPort(port);
  stream.write('x');
  await expect(text(stream)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
});

it('closes the connection inside when the stream is destroyed', async () => {
  const closed = Promise.withResolvers<void>();
  const port = await listen((socket) => socket.resume().once('end', () => closed.resolve()));
  const stream = await used.sandbox.openPort(port);
  stream.on('error', () => {});
  stream.destroy();
  await closed.promise;
});

it('lists what listens, with its process, and not itself', async () => {
  const port = await listen(() => {});
  const ports = await used.sandbox.ports();
  expect(ports).toContainEqual(
    expect.objectContaining({ port, address: '127.0.0.1', pid: process.pid, command: expect.any(String) }),
  );
  expect(ports.some(({ pid }) => pid === used.local.pid)).toBe(false);
});
