import type { ServerHttp2Stream } from 'node:http2';
import { CodedError, toErrorInfo } from '../../src/protocol/errors.ts';
import {
  decodeFrames,
  encodeJson,
  FRAME,
  type Frame,
  type FrameKind,
  frameHeader,
  MAX_DATA_BYTES,
} from '../../src/protocol/frames.ts';

/** Bytes that may wait for a caller who reads slowly; what produces more is held back. */
const HIGH_WATER_BYTES = 256 * 1024;
/** A trailer must fit into a header block of 64 KiB, in base64, where a character may take three bytes. */
const MAX_MESSAGE_CHARS = 8_000;

const gone = (): CodedError => new CodedError('CONNECTION_LOST', 'The caller has ended the call.');

/** sandboxd's end of one call: an HTTP/2 stream that ends with its trailers. */
export class Call {
  readonly #stream: ServerHttp2Stream;
  readonly #frames: AsyncGenerator<Frame>;
  readonly #abort = new AbortController();
  #outstanding = 0;
  #room: PromiseWithResolvers<void> | null = null;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
    this.#frames = decodeFrames(stream.iterator({ destroyOnReturn: false }));
    stream.on('error', () => {});
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
    if (stream.destroyed || stream.closed) return;
    this.#respond();
    stream.once('wantTrailers', () => stream.sendTrailers(error === undefined ? OK : trailers(error)));
    stream.end();
    // What the caller still sends is of no use; it stops once it sees the end.
    void this.#frames.return(undefined).then(
      () => stream.resume(),
      () => {},
    );
  }

  #write(pieces: Buffer[]): Promise<void> | undefined {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return Promise.reject(gone());
    this.#respond();
    // Writes of one turn leave together.
    if (stream.writableCorked === 0) {
      stream.cork();
      process.nextTick(() => stream.uncork());
    }
    for (const piece of pieces) {
      this.#outstanding += piece.length;
      stream.write(piece, () => this.#written(piece.length));
    }
    if (this.#outstanding < HIGH_WATER_BYTES) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** With the first bytes, not before them: each packet costs both sides a turn on the way through the relay. */
  #respond(): void {
    if (!this.#stream.headersSent) this.#stream.respond({ ':status': 200 }, { waitForTrailers: true });
  }

  #written(bytes: number): void {
    this.#outstanding -= bytes;
    if (this.#outstanding > HIGH_WATER_BYTES / 2) return;
    this.#room?.resolve();
    this.#room = null;
  }
}

const OK = { 'x-status': 'ok' };

function trailers(error: unknown): Record<string, string> {
  const info = toErrorInfo(error);
  const shown = { ...info, message: info.message.slice(0, MAX_MESSAGE_CHARS) };
  return { 'x-status': 'error', 'x-error': Buffer.from(JSON.stringify(shown)).toString('base64url') };
}
