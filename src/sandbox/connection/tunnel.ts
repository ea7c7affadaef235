import { Duplex, PassThrough } from 'node:stream';
import { CodedError } from '../../protocol/errors.ts';
import { FRAME, type Frame } from '../../protocol/frames.ts';
import type { CallOptions } from '../sandbox.ts';
import { unexpected } from './answer.ts';
import { callFrames } from './call.ts';
import type { Link } from './link.ts';

/**
 * Makes a call that carries bytes both ways once sandboxd has sent its first message.
 * @param check looks at that message; what it throws ends the call.
 * @returns a stream that fails when the call is cut; destroying it ends the call. The signal counts until then.
 */
export async function openTunnel(
  link: Link,
  { path, args, check }: { path: string; args: object; check: (first: Frame) => unknown },
  { signal }: CallOptions = {},
): Promise<Duplex> {
  const over = new AbortController();
  const abort = (): void => over.abort(signal?.reason);
  const input = new PassThrough();
  const session = await link.session(signal);
  const frames = callFrames(session, { path, args, input, signal: over.signal });
  signal?.addEventListener('abort', abort, { once: true });
  try {
    signal?.throwIfAborted();
    const first = await frames.next();
    if (first.done) throw unexpected('no message');
    check(first.value);
  } catch (error) {
    over.abort(error);
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return new Tunnel(frames, input, over);
}

class Tunnel extends Duplex {
  readonly #frames: AsyncGenerator<Frame>;
  readonly #input: PassThrough;
  readonly #over: AbortController;

  constructor(frames: AsyncGenerator<Frame>, input: PassThrough, over: AbortController) {
    super();
    this.#frames = frames;
    this.#input = input;
    this.#over = over;
  }

  override _read(): void {
    this.#frames.next().then(
      ({ done, value }) => {
        if (done) this.push(null);
        else if (value.kind === FRAME.data) this.push(value.payload);
        else this.destroy(unexpected('a message among the bytes'));
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#input.write(bytes, done);
  }

  override _final(done: () => void): void {
    this.#input.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // Asking the generator to return would wait for a frame that may never come.
    this.#over.abort(error ?? new CodedError('CONNECTION_LOST', 'The tunnel has been closed.'));
    this.#input.destroy();
    done(error);
  }
}
