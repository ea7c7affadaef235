import { once } from 'node:events';
import type { Socket } from 'node:net';
import { FRAME } from '../../src/protocol/frames.ts';
import type { Call } from './call.ts';

/**
 * Carries bytes between a call and a socket that is open, at the pace of the slower side. The caller's empty frame
 * ends what the socket is sent; the call goes on until the socket has closed, or the caller has gone.
 */
export async function tunnel(call: Call, socket: Socket): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const end = (): void => void socket.destroy();
  socket.on('error', end);
  call.signal.addEventListener('abort', end, { once: true });
  if (call.signal.aborted) end();
  socket.on('data', (bytes: Buffer) => {
    const room = call.send(FRAME.data, bytes);
    if (!room) return;
    socket.pause();
    room.then(() => socket.resume(), end);
  });
  void toSocket(call, socket).catch(end);
  await closed;
  call.signal.removeEventListener('abort', end);
}

async function toSocket(call: Call, socket: Socket): Promise<void> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  for await (const bytes of call.input()) {
    if (!socket.write(bytes)) await once(socket, 'drain', { signal: gone.signal });
  }
  socket.end();
}
