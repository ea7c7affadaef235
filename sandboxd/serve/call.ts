import { CodedError, toErrorInfo } from '../../src/protocol/errors.ts';
import {
  CALL_OK,
  decodeFrames,
  encodeJson,
  FRAME,
  type Frame,
  type FrameKind,
  frameHeader,
  MAX_DATA_BYTES,
} from '../../src/protocol/frames.ts';
import type { MuxStream } from '../../src/protocol/mux/stream.ts';

/** Bytes that may wait for a caller who reads slowly; what produces more is held back. */
const HIGH_WATER_BYTES = 256 * 1024;
/** A last word is at most 64 KiB, and a character of JSON may take six bytes. */
const MAX_MESSAGE_CHARS = 8_000;

const gone = (): CodedError => new CodedError('CONNECTION_LOST', 'The caller has ended the call.');

/** sandboxd's end of one call: a stream whose last word says how it went. */
export class Call {
  readonly #stream: MuxStream;
  readonly #frames: AsyncGenerator<Frame>;
  readonly #abort = new AbortController();
  #outstanding = 0;
  #room: PromiseWithResolvers<void> | null = null;

  constructor(stream: MuxStream) {
    this.#stream = stream;
    this.#frames = decodeFrames(stream.iterator({ destroyOnReturn: false }));
    stream.once('close', () => {
      this.#abort.abort(gone());
      this.#room?.resolve();
    });
  }

  /** Aborted when the caller or its connection has gone, and at the end. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The arguments: the first frame, as JSON. */
  async arguments(): Promise<unknown> {
    const first = await this.#frames.next();
    if (first.done || first.value.kind !== FRAME.json) {
      throw new CodedError('INVALID_ARGUMENT', 'Expected the arguments as a JSON frame first.');
    }
    try {
      return JSON.parse(first.value.payload.toString());
    } catch (cause) {
      throw new CodedError('INVALID_ARGUMENT', 'Expected the arguments as JSON.', { cause });
    }
  }

  /**
   * The bytes that the caller sends, up to its empty frame.
   * @throws CodedError CONNECTION_LOST when they were cut.
   */
  async *input(): AsyncGenerator<Buffer> {
    for (;;) {
      const { done, value } = await this.#frames.next();
      if (done) throw gone();
      if (value.kind !== FRAME.data) throw new CodedError('INVALID_ARGUMENT', 'Expected data frames only.');
      if (value.payload.length === 0) return;
      yield value.payload;
    }
  }

  /** Sends a message. @returns a promise when the caller lags: wait for it before sending more. */
  json(value: unknown): Promise<void> | undefined {
    return this.#write([encodeJson(value)]);
  }

  /** Sends bytes, split into frames. @returns a promise when the caller lags: wait for it before sending more. */
  send(kind: FrameKind, bytes: Buffer): Promise<void> | undefined {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) {
      const piece = bytes.subarray(at, at + MAX_DATA_BYTES);
      pieces.push(frameHeader(kind, piece.length), piece);
    }
    return this.#write(pieces);
  }

  /** Ends the call: with what went wrong, or well. */
  end(error?: unknown): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    stream.finish(error === undefined ? CALL_OK : lastWord(error));
    // What the caller still sends is of no use; it stops once it sees the end.
    void this.#frames.return(undefined).then(
      () => stream.resume(),
      () => {},
    );
  }

  #write(pieces: Buffer[]): Promise<void> | undefined {
    const stream = this.#stream;
    if (stream.destroyed) return Promise.reject(gone());
    for (const piece of pieces) {
      this.#outstanding += piece.length;
      stream.write(piece, () => this.#written(piece.length));
    }
    if (this.#outstanding < HIGH_WATER_BYTES) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  #written(bytes: number): void {
    this.#outstanding -= bytes;
    if (this.#outstanding > HIGH_WATER_BYTES / 2) return;
    this.#room?.resolve();
    this.#room = null;
  }
}

function lastWord(error: unknown): string {
  const info = toErrorInfo(error);
  return JSON.stringify({ ...info, message: info.message.slice(0, MAX_MESSAGE_CHARS) });
}
