import { type ClientHttp2Stream, constants } from 'node:http2';
import type { Duplex } from 'node:stream';

/** Carries bytes both ways, each end of one becoming an end of the other; what breaks one breaks the other. */
export function join(socket: Duplex, stream: ClientHttp2Stream): void {
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  });
  stream.once('close', () => {
    // An orderly end has been passed on by now, and its last bytes may still be on their way.
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || !stream.readableEnded) socket.destroy();
    else socket.end();
  });
  socket.pipe(stream).pipe(socket);
}
