import type { ClientHttp2Stream } from 'node:http2';
import { FRAME, frameHeader } from '../../protocol/frames.ts';

const PIECE_BYTES = 256 * 1024;

/**
 * Sends a call's arguments and then its bytes at the pace at which they are taken, the empty frame last.
 * Stops without an error when the call ends first. Throws what the source throws.
 */
export async function sendBytes(
  stream: ClientHttp2Stream,
  args: Buffer,
  input: AsyncIterable<Buffer> | undefined,
): Promise<void> {
  if (!input) {
    stream.end(args);
    return;
  }
  const over = new Promise<void>((resolve) => {
    stream.once('close', () => resolve());
    // sandboxd has answered: whatever is left to send, it does not want.
    stream.once('end', () => resolve());
  });
  stream.write(args);
  for await (const bytes of input) {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      if (stream.destroyed || stream.readableEnded) return;
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      stream.cork();
      stream.write(frameHeader(FRAME.data, piece.length));
      const room = stream.write(piece);
      stream.uncork();
      if (!room) await Promise.race([over, new Promise<void>((resolve) => stream.once('drain', resolve))]);
    }
  }
  if (!stream.destroyed) stream.end(frameHeader(FRAME.data, 0));
}
