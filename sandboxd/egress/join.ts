import type { Duplex } from 'node:stream';
import type { MuxStream } from '../../src/protocol/mux/stream.ts';

/** Carries bytes both ways, each end of one becoming an end of the other; what breaks one breaks the other. */
export function join(socket: Duplex, stream: MuxStream): void {
  socket.on('error', () => socket.destroy());
  socket.once('close', () => stream.destroy());
  // What has come in order may still be on its way out of the socket.
  stream.once('close', () => (stream.readableEnded ? socket.end() : socket.destroy()));
  socket.pipe(stream).pipe(socket);
}
