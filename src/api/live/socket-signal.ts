import type { Duplex } from 'node:stream';

/** Aborted when the connection has closed. */
export function signalOfSocket(socket: Duplex): AbortSignal {
  const controller = new AbortController();
  if (socket.destroyed) controller.abort();
  else socket.once('close', () => controller.abort());
  return controller.signal;
}
