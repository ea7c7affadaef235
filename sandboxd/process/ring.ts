const FIRST_BYTES = 4_096;

/** Keeps the newest bytes of a stream, at most `capacity`, and knows how many there were in all. */
export class Ring {
  /** How many bytes have been written. */
  total = 0;
  readonly #capacity: number;
  #buffer = Buffer.alloc(0);

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Offset of the oldest byte that is kept. */
  get start(): number {
    return Math.max(0, this.total - this.#capacity);
  }

  /** Memory in use. */
  get size(): number {
    return this.#buffer.length;
  }

  write(bytes: Buffer): void {
    const kept = bytes.length > this.#capacity ? bytes.subarray(bytes.length - this.#capacity) : bytes;
    this.total += bytes.length - kept.length;
    this.#grow(this.total + kept.length);
    for (let at = 0; at < kept.length; ) {
      const offset = (this.total + at) % this.#buffer.length;
      at += kept.copy(this.#buffer, offset, at);
    }
    this.total += kept.length;
  }

  /** A copy of at most `most` bytes from an offset on, which must not lie before {@link start}. */
  read(from: number, most: number): Buffer {
    const length = Math.max(0, Math.min(most, this.total - from));
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const offset = (from + at) % this.#buffer.length;
      at += this.#buffer.copy(bytes, at, offset, Math.min(this.#buffer.length, offset + length - at));
    }
    return bytes;
  }

  /** Up to the capacity, offsets are places in the buffer, so that growing is a plain copy. */
  #grow(wanted: number): void {
    if (this.#buffer.length === this.#capacity || wanted <= this.#buffer.length) return;
    const doubled = Math.max(FIRST_BYTES, this.#buffer.length * 2, wanted);
    const grown = Buffer.alloc(Math.min(this.#capacity, doubled));
    this.#buffer.copy(grown);
    this.#buffer = grown;
  }
}
