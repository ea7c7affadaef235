import { Duplex } from 'node:stream';
import {
  FIRST_WINDOW_BYTES,
  MAX_MUX_DATA_BYTES,
  MAX_MUX_TEXT_BYTES,
  MORE_WINDOW_BYTES,
  MuxProtocolError,
} from './frames.ts';

/** Bytes that wait to be sent before a writer is asked to wait. */
const HIGH_WATER_BYTES = 256 * 1024;

/** What a stream needs of its connection. */
export interface MuxOutlet {
  /** Calls {@link MuxStream.sendPiece} soon, and again as long as it says that there is more. */
  ready(stream: MuxStream): void;
  data(id: number, pieces: Buffer[], sent: ((error?: Error | null) => void) | null): void;
  accept(id: number): void;
  end(id: number, word: string): void;
  window(id: number, bytes: number): void;
  /** Whether the stream may hold more than its first window; if so, {@link over} gives it back. */
  borrow(bytes: number): boolean;
  /** Nothing more comes of this stream. `why` is null where both directions have ended in order. */
  over(stream: MuxStream, why: string | null, borrowed: number): void;
}

/** The peer has ended a stream before its time. */
export class MuxReset extends Error {
  /** What the peer said of it; not to be trusted. */
  readonly why: string;
  constructor(why: string) {
    super('The peer ended the stream.');
    this.why = why;
  }
}

interface Pending {
  chunks: Buffer[];
  done: (error?: Error | null) => void;
}

/**
 * One of the streams of a {@link Mux}. An `end` of what is read is the peer's own: when the connection is cut, or the
 * peer ends the stream before its time, it fails, with {@link MuxReset} in the latter case. To destroy it is to end it
 * for both.
 */
export class MuxStream extends Duplex {
  readonly id: number;
  readonly #outlet: MuxOutlet;
  #pending: Pending | null = null;
  /** Bytes that may be sent. */
  #credit = FIRST_WINDOW_BYTES;
  /** Bytes that the peer may send. */
  #granted = FIRST_WINDOW_BYTES;
  #window = FIRST_WINDOW_BYTES;
  /** Bytes that the reader has taken, or will soon. */
  #taken = 0;
  /** Bytes in the buffer, which the reader must ask for first. */
  #held = 0;
  #lastWord = '';
  #peerWord: string | null = null;
  #endSent = false;
  #why = '';

  constructor(id: number, outlet: MuxOutlet) {
    // A mark of one byte: what is in the buffer has not been taken, however little it is.
    super({ readableHighWaterMark: 1, writableHighWaterMark: HIGH_WATER_BYTES });
    this.id = id;
    this.#outlet = outlet;
    // It can fail before whoever opened it looks.
    this.on('error', () => {});
  }

  /** What the peer said at its end; null before that. Not to be trusted. */
  get peerWord(): string | null {
    return this.#peerWord;
  }

  /** Tells the peer that the stream has been taken up, which it sees as the event `accept`. */
  accept(): void {
    if (!this.destroyed) this.#outlet.accept(this.id);
  }

  /** Ends this direction as `end` does, with a last word of at most 64 KiB. */
  finish(word: string): void {
    this.#lastWord = word;
    this.end();
  }

  /** Ends both directions, with words that the peer gets as {@link MuxReset}. */
  reset(why: string): void {
    this.#why = Buffer.from(why).subarray(0, MAX_MUX_TEXT_BYTES).toString();
    this.destroy();
  }

  /** Sends one frame of what is pending, if the peer lets it. @returns whether there is more that may be sent. */
  sendPiece(): boolean {
    const pending = this.#pending;
    const most = Math.min(this.#credit, MAX_MUX_DATA_BYTES);
    if (!pending || most === 0 || this.destroyed) return false;
    const pieces: Buffer[] = [];
    let room = most;
    while (room > 0) {
      const chunk = pending.chunks[0];
      if (!chunk) break;
      const piece = chunk.subarray(0, room);
      if (piece.length === chunk.length) pending.chunks.shift();
      else pending.chunks[0] = chunk.subarray(piece.length);
      pieces.push(piece);
      room -= piece.length;
    }
    this.#credit -= most - room;
    const last = pending.chunks.length === 0;
    if (last) this.#pending = null;
    this.#outlet.data(this.id, pieces, last ? pending.done : null);
    return !last && this.#credit > 0;
  }

  /** @throws MuxProtocolError where the peer sends more than it may. */
  onData(piece: Buffer): void {
    if (this.#peerWord !== null) throw new MuxProtocolError('bytes after the end of a stream');
    this.#granted -= piece.length;
    if (this.#granted < 0) throw new MuxProtocolError('more bytes than the window of a stream allows');
    if (!this.push(piece)) this.#held += piece.length;
    else this.#take(piece.length);
  }

  /** @throws MuxProtocolError where it has ended before. */
  onEnd(word: string): void {
    if (this.#peerWord !== null) throw new MuxProtocolError('a second end of a stream');
    this.#peerWord = word;
    this.push(null);
  }

  onWindow(bytes: number): void {
    // What is more than any window cannot be owed: only what is sent counts against it.
    this.#credit = Math.min(this.#credit + bytes, FIRST_WINDOW_BYTES + MORE_WINDOW_BYTES);
    if (this.#pending) this.#outlet.ready(this);
  }

  override _read(): void {
    if (this.#held === 0) return;
    const held = this.#held;
    this.#held = 0;
    this.#take(held);
  }

  #take(bytes: number): void {
    this.#taken += bytes;
    if (this.#peerWord !== null || this.destroyed || this.#taken < this.#window / 4) return;
    let grant = this.#taken;
    this.#taken = 0;
    if (this.#window === FIRST_WINDOW_BYTES && this.#outlet.borrow(MORE_WINDOW_BYTES)) {
      this.#window += MORE_WINDOW_BYTES;
      grant += MORE_WINDOW_BYTES;
    }
    this.#granted += grant;
    this.#outlet.window(this.id, grant);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  #send(chunks: Buffer[], done: Pending['done']): void {
    const filled = chunks.filter((chunk) => chunk.length > 0);
    if (filled.length === 0) {
      done();
      return;
    }
    this.#pending = { chunks: filled, done };
    this.#outlet.ready(this);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#endSent = true;
    this.#outlet.end(this.id, this.#lastWord);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const pending = this.#pending;
    this.#pending = null;
    const inOrder = this.#endSent && this.#peerWord !== null;
    this.#outlet.over(this, inOrder ? null : this.#why, this.#window - FIRST_WINDOW_BYTES);
    pending?.done(error ?? new Error('The stream has been closed.'));
    done(error);
  }
}
