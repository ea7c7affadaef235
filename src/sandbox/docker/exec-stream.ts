import { ChannelStream, connectionLost } from '../channel-stream.ts';

const HEADER_BYTES = 8;
const STDERR = 2;
const MAX_STDERR_BYTES = 4_096;

/**
 * The byte stream of an attached exec without a terminal: the engine's frames (kind, three bytes of nothing,
 * length in 32 bits) are taken off what it prints, and what is written goes to its stdin as it is.
 * Its stderr is no part of the stream: the first 4 KiB become the message of the error that it fails with.
 */
export class ExecStream extends ChannelStream {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #missing = 0;
  #kind = 0;
  #stderr = '';

  protected override arrived(chunk: Buffer): boolean {
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
        if (this.#kind > STDERR) {
          this.destroy(connectionLost(`a frame of unknown kind ${this.#kind}`));
          return false;
        }
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
    return wanted;
  }

  protected override lastWords(): string {
    return this.#stderr.trim() || super.lastWords();
  }
}
