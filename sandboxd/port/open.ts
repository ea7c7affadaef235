import { connect, type Socket } from 'node:net';
import type { z } from 'zod';
import { CodedError } from '../../src/protocol/errors.ts';
import type { PortOpen } from '../../src/protocol/ports.ts';
import type { Call } from '../serve/call.ts';
import { errno } from '../serve/errno.ts';
import { tunnel } from '../serve/tunnel.ts';

const CONNECT_MS = 5_000;
/** Programs that listen on "localhost" take one of these, whichever their resolver names first. */
const LOOPBACK = ['127.0.0.1', '::1'];

/** Carries bytes between the caller and a program that listens on a port. */
export async function openPort({ port }: z.infer<typeof PortOpen>, call: Call): Promise<void> {
  await tunnel(call, await connectTo(port));
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
