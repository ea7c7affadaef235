import { FRAME, frameHeader } from '../../protocol/frames.ts';
import type { MuxStream } from '../../protocol/mux/stream.ts';

const PIECE_BYTES = 256 * 1024;

/**
 * Sends a call's arguments and then its bytes at the pace at which they are taken, the empty frame last.
 * Stops without an error when the call ends first. Throws what the source throws.
 */
export async function sendBytes(
  stream: MuxStream,
  args: Buffer,
  input: AsyncIterable<Buffer> | undefined,
): Promise<void> {
  if (!input) {
    stream.end(args);
    return;
  }
  stream.write(args);
  const source = input[Symbol.asyncIterator]();
  // A source that waits for something does not keep a call that is over: nobody waits for this to return.
  stream.once('close', () => void source.return?.().catch(() => {}));
  for (;;) {
    const { done, value } = await source.next();
    if (done) break;
    for (let at = 0; at < value.length; at += PIECE_BYTES) {
      if (isOver(stream)) return;
      const piece = value.subarray(at, at + PIECE_BYTES);
      stream.cork();
      stream.write(frameHeader(FRAME.data, piece.length));
      const room = stream.write(piece);
      stream.uncork();
      if (!room) await drained(stream);
    }
  }
  if (!isOver(stream)) stream.end(frameHeader(FRAME.data, 0));
}

/** Once sandboxd has answered, it does not want what is left to send. */
const isOver = (stream: MuxStream): boolean => stream.destroyed || stream.readableEnded;

function drained(stream: MuxStream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const events = ['drain', 'close', 'end'] as const;
  for (const event of events) stream.on(event, resolve);
  return promise.finally(() => {
    for (const event of events) stream.off(event, resolve);
  });
}
