import { Duplex } from 'node:stream';
import { CodedError } from '../../protocol/errors.ts';

const HEADER_BYTES = 8;
const STDERR = 2;
const MAX_STDERR_BYTES = 4_096;
const HIGH_WATER_MARK = 256 * 1024;
/** What is taken without the other side reading; above any window that an honest sandboxd opens. */
const TAKEN_AT_ONCE_BYTES = 32 * 1024 * 1024;

/**
 * The byte stream of an attached exec without a terminal: the engine's frames (kind, three bytes of nothing,
 * length in 32 bits) are taken off what it prints, and what is written goes to its stdin as it is.
 * Its stderr is no part of the stream: the first 4 KiB become the message of the error that it fails with.
 * It never ends by itself, so that a cut is never taken for an end: when the other side is gone, it fails with
 * CONNECTION_LOST. Ending it closes the program's stdin; destroying it cuts the connection.
 */
export class ExecStream extends Duplex {
  readonly #socket: Duplex;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #missing = 0;
  #kind = 0;
  #stderr = '';
  #failure: CodedError | undefined;

  constructor(socket: Duplex) {
    super({ readableHighWaterMark: HIGH_WATER_MARK, writableHighWaterMark: HIGH_WATER_MARK });
    this.#socket = socket;
    // It can fail before whoever opened it has heard that it is open.
    this.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.#ended());
    socket.on('error', (error) => this.destroy(lost(error.message)));
    socket.on('close', () => {
      this.#ended();
    });
    socket.pause();
  }

  #take(chunk: Buffer): void {
    let wanted = true;
    for (let at = 0; at < chunk.length; ) {
      if (this.#missing === 0) {
        const copied = chunk.copy(this.#header, this.#headerBytes, at);
        this.#headerBytes += copied;
        at += copied;
        if (this.#headerBytes < HEADER_BYTES) break;
        this.#headerBytes = 0;
        this.#kind = this.#header[0] ?? 0;
        this.#missing = this.#header.readUInt32BE(4);
        if (this.#kind > STDERR) return void this.destroy(lost(`a frame of unknown kind ${this.#kind}`));
        continue;
      }
      const piece = chunk.subarray(at, at + this.#missing);
      at += piece.length;
      this.#missing -= piece.length;
      if (this.#kind !== STDERR) wanted = this.push(piece);
      else if (this.#stderr.length < MAX_STDERR_BYTES) {
        this.#stderr += piece.toString('utf8', 0, MAX_STDERR_BYTES - this.#stderr.length);
      }
    }
    if (!wanted) this.#socket.pause();
  }

  /** Fails once what has arrived is read; at once where a write shows that it is used. */
  #ended(): void {
    this.#failure ??= lost(this.#stderr.trim() || 'the other side hung up');
    if (this.readableLength === 0) this.destroy(this.#failure);
  }

  override read(size?: number): Buffer | null {
    const piece: Buffer | null = super.read(size);
    if (piece === null && this.#failure && this.readableLength === 0) this.destroy(this.#failure);
    return piece;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk);
    this.#taken(done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.cork();
    for (const { chunk } of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
    this.#taken(done);
  }

  /** Node's HTTP/2 does not read while it writes: two ends that wait for each other would stand still. */
  #taken(done: (error?: Error | null) => void): void {
    if (this.#failure) done(this.#failure);
    else if (this.#socket.writableLength < TAKEN_AT_ONCE_BYTES) done();
    else this.#socket.once('drain', () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

function lost(found: string): CodedError {
  return new CodedError('CONNECTION_LOST', `The stream to the sandbox broke: ${found}`);
}
