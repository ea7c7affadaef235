import type { Socket } from 'node:net';
import { CodedError } from '../../src/protocol/errors.ts';
import { FRAME } from '../../src/protocol/frames.ts';
import type { Call } from './call.ts';

/**
 * Carries bytes between the caller and a program that a socket leads to, at the pace of the slower side and each side's
 * end told to the other, until both have ended or the caller has gone. The socket is closed then.
 * @throws CodedError CONNECTION_LOST when the program breaks the connection.
 */
export async function tunnel(call: Call, socket: Socket): Promise<void> {
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
