import { connect, type Socket } from 'node:net';
import type { z } from 'zod';
import { CodedError } from '../../src/protocol/errors.ts';
import { FRAME } from '../../src/protocol/frames.ts';
import type { PortOpen } from '../../src/protocol/ports.ts';
import type { Call } from '../serve/call.ts';
import { errno } from '../serve/errno.ts';

const CONNECT_MS = 5_000;
/** Programs that listen on "localhost" take one of these, whichever their resolver names first. */
const LOOPBACK = ['127.0.0.1', '::1'];

/** Carries bytes between the caller and a program that listens on a port, each side's end told to the other. */
export async function openPort({ port }: z.infer<typeof PortOpen>, call: Call): Promise<void> {
  const socket = await connectTo(port);
  const cut = (): void => void socket.destroy();
  call.signal.addEventListener('abort', cut, { once: true });
  if (call.signal.aborted) cut();
  try {
    await call.json({ event: 'opened' });
    await Promise.all([send(call, socket), receive(socket, call)]);
  } finally {
    call.signal.removeEventListener('abort', cut);
    socket.destroy();
  }
}

/** @throws CodedError PORT_NOT_OPEN */
async function connectTo(port: number): Promise<Socket> {
  for (const host of LOOPBACK) {
    const socket = await tryConnect(host, port);
    if (socket) return socket;
  }
  throw new CodedError('PORT_NOT_OPEN', `Nothing listens on port ${port} of the sandbox.`);
}

function tryConnect(host: string, port: number): Promise<Socket | null> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket | null>();
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('connect timed out')));
  socket.once('connect', () => {
    socket.setTimeout(0);
    resolve(socket);
  });
  // Stays for the life of the socket: later errors are those of whoever reads and writes.
  socket.on('error', (error) => (errno(error) === 'EMFILE' ? reject(error) : resolve(null)));
  return promise;
}

async function send(call: Call, socket: Socket): Promise<void> {
  for await (const bytes of call.input()) {
    if (!socket.write(bytes)) await drained(socket);
    if (socket.destroyed) throw closed();
  }
  socket.end();
}

async function receive(socket: Socket, call: Call): Promise<void> {
  try {
    for await (const bytes of socket.iterator({ destroyOnReturn: false })) await call.send(FRAME.data, bytes);
  } catch (cause) {
    throw cause instanceof CodedError ? cause : closed(cause);
  }
  await call.json({ event: 'ended' });
}

function drained(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const events = ['drain', 'close'] as const;
  for (const event of events) socket.on(event, resolve);
  return promise.finally(() => {
    for (const event of events) socket.off(event, resolve);
  });
}

const closed = (cause?: unknown): CodedError =>
  new CodedError('CONNECTION_LOST', 'The program has closed the connection.', { cause });
