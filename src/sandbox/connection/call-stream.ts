import { Duplex } from 'node:stream';
import type { z } from 'zod';
import { FRAME, type Frame } from '../../protocol/frames.ts';
import type { Mux } from '../../protocol/mux/mux.ts';
import { parseFrame, unexpected } from './answer.ts';
import { callFrames } from './call.ts';

/** How long a call may last after its stream has ended. */
const FINISH_MS = 10_000;

export interface StreamRequest<First extends z.ZodType> {
  path: string;
  args: unknown;
  /** What the answer begins with. */
  first: First;
  /** Told of each later message; `end` ends the reading side, as the other side has ended its writing. */
  onMessage?: (frame: Frame, end: () => void) => void;
  /** Counts until the stream is handed out; then destroying the stream ends the call. */
  signal?: AbortSignal | undefined;
}

/**
 * Makes a call that carries bytes both ways.
 * @returns the call's first message, and the bytes as a stream: it fails when the call was cut or refused later on.
 * @throws as {@link callFrames} does before the first message.
 */
export async function openCallStream<First extends z.ZodType>(
  session: Mux,
  { path, args, first, onMessage, signal }: StreamRequest<First>,
): Promise<{ first: z.infer<First>; stream: Duplex }> {
  signal?.throwIfAborted();
  const ending = new AbortController();
  const abort = (): void => ending.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const outgoing = new Outgoing();
  const frames = callFrames(session, { path, args, input: outgoing, signal: ending.signal });
  try {
    const answer = await frames.next();
    if (answer.done) throw unexpected('no message');
    const parsed = parseFrame(first, answer.value);
    return { first: parsed, stream: new CallStream(frames, outgoing, ending, onMessage) };
  } catch (error) {
    ending.abort(error);
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** What is written to the stream, handed over piece by piece as the connection takes it. */
class Outgoing implements AsyncIterable<Buffer> {
  #next: { bytes: Buffer; taken: () => void } | null = null;
  #ended = false;
  #wake: () => void = () => {};

  /** @param taken called once there is room for more */
  write(bytes: Buffer, taken: () => void): void {
    this.#next = { bytes, taken };
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const next = this.#next;
      if (next) {
        this.#next = null;
        yield next.bytes;
        next.taken();
      } else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

class CallStream extends Duplex {
  readonly #frames: AsyncGenerator<Frame>;
  readonly #outgoing: Outgoing;
  readonly #ending: AbortController;
  readonly #onMessage: StreamRequest<z.ZodType>['onMessage'];
  #ended = false;

  constructor(
    frames: AsyncGenerator<Frame>,
    outgoing: Outgoing,
    ending: AbortController,
    onMessage: StreamRequest<z.ZodType>['onMessage'],
  ) {
    super();
    this.#frames = frames;
    this.#outgoing = outgoing;
    this.#ending = ending;
    this.#onMessage = onMessage;
  }

  override _read(): void {
    this.#pull().catch((error) => this.destroy(error));
  }

  /** Reads up to the next bytes: having handed them on, the stream asks again. Or to the end of the call. */
  async #pull(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#frames.next();
      if (this.destroyed) return;
      if (done) {
        this.#end();
        // Nobody takes what is still written.
        if (!this.writableFinished) this.end();
        return;
      }
      if (value.kind === FRAME.json) {
        if (!this.#onMessage) throw unexpected('a message among the bytes');
        this.#onMessage(value, () => this.#end());
      } else if (!this.#ended && value.payload.length > 0) {
        this.push(value.payload);
        return;
      }
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.push(null);
  }

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.#outgoing.write(bytes, done);
  }

  override _final(done: () => void): void {
    this.#outgoing.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#outgoing.end();
    if (error === null && this.#ended && this.writableFinished) void this.#finish();
    else {
      this.#ending.abort(error ?? new Error('the stream was destroyed'));
      void this.#frames.return(undefined).catch(() => {});
    }
    done(error);
  }

  /** Both sides have ended in order: sandboxd ends the call when it has passed on what was written last. */
  async #finish(): Promise<void> {
    const timer = setTimeout(() => this.#ending.abort(), FINISH_MS);
    try {
      while (!(await this.#frames.next()).done);
    } catch {
      // Whoever had the stream has let go of it.
    } finally {
      clearTimeout(timer);
    }
  }
}
