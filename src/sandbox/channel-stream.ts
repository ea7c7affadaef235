import { Duplex } from 'node:stream';
import { CodedError } from '../protocol/errors.ts';

const HIGH_WATER_MARK = 256 * 1024;

/**
 * A stream to sandboxd over a socket, as a driver gives it: it never ends by itself, so that a cut is never taken for
 * an end; when the other side is gone, it fails with CONNECTION_LOST once what has arrived is read. Ending it ends
 * the socket's writing side; destroying it cuts the connection.
 */
export class ChannelStream extends Duplex {
  readonly #socket: Duplex;
  #failure: CodedError | undefined;

  constructor(socket: Duplex) {
    super({ readableHighWaterMark: HIGH_WATER_MARK, writableHighWaterMark: HIGH_WATER_MARK });
    this.#socket = socket;
    // It can fail before whoever opened it has heard that it is open.
    this.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      if (!this.arrived(chunk)) socket.pause();
    });
    socket.on('end', () => this.#ended());
    socket.on('error', (error) => this.destroy(connectionLost(error.message)));
    socket.on('close', () => this.#ended());
    socket.pause();
  }

  /** Takes what has arrived; false where no more is wanted for now. */
  protected arrived(chunk: Buffer): boolean {
    return this.push(chunk);
  }

  /** What is known of why the other side is gone. */
  protected lastWords(): string {
    return 'the other side hung up';
  }

  /** Fails once what has arrived is read; at once where a write shows that it is used. */
  #ended(): void {
    this.#failure ??= connectionLost(this.lastWords());
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
    this.#socket.write(chunk, this.#written(done));
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.cork();
    chunks.forEach(({ chunk }, at) => {
      if (at === chunks.length - 1) this.#socket.write(chunk, this.#written(done));
      else this.#socket.write(chunk);
    });
    this.#socket.uncork();
  }

  #written(done: (error?: Error | null) => void): (error?: Error | null) => void {
    return (error) => done(this.#failure ?? (error ? connectionLost(error.message) : null));
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

export function connectionLost(found: string): CodedError {
  return new CodedError('CONNECTION_LOST', `The stream to the sandbox broke: ${found}`);
}
