import {
  MAX_MUX_DATA_BYTES,
  MAX_MUX_TEXT_BYTES,
  MUX_FRAME,
  MUX_HEADER_BYTES,
  type MuxFrameType,
  MuxProtocolError,
  type MuxTextType,
} from './frames.ts';

export interface MuxFrames {
  /** A piece of a stream's bytes, as it arrived. */
  onData(id: number, piece: Buffer): void;
  /** Any other frame, whole. `value` is that of a `window`. */
  onFrame(type: MuxTextType, id: number, value: number, text: Buffer): void;
}

const TYPES: ReadonlySet<number> = new Set(Object.values(MUX_FRAME));
const isType = (type: number): type is MuxFrameType => TYPES.has(type);

/** Takes a connection's bytes apart. Holds no more than a header and one text. */
export class MuxDecoder {
  readonly #to: MuxFrames;
  /** Of a header or a text that has not come whole. */
  #pieces: Buffer[] = [];
  #wanted = MUX_HEADER_BYTES;
  #type: MuxFrameType | null = null;
  #id = 0;

  constructor(to: MuxFrames) {
    this.#to = to;
  }

  /** @throws MuxProtocolError, and what the receiver throws; the decoder is of no use then. */
  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      const piece = rest.subarray(0, this.#wanted);
      rest = rest.subarray(piece.length);
      this.#wanted -= piece.length;
      if (this.#type === MUX_FRAME.data) this.#to.onData(this.#id, piece);
      else if (this.#wanted > 0) this.#pieces.push(piece);
      else this.#whole(this.#joined(piece));
      if (this.#type === MUX_FRAME.data && this.#wanted === 0) this.#next();
    }
  }

  #joined(last: Buffer): Buffer {
    if (this.#pieces.length === 0) return last;
    const whole = Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    return whole;
  }

  /** A header or a text has come. */
  #whole(bytes: Buffer): void {
    const type = this.#type;
    if (type === null) this.#header(bytes);
    else if (type !== MUX_FRAME.data) {
      this.#next();
      this.#to.onFrame(type, this.#id, bytes.length, bytes);
    }
  }

  #header(header: Buffer): void {
    const type = header.readUInt8(0);
    const value = header.readUInt32BE(5);
    if (!isType(type)) throw new MuxProtocolError(`a frame of unknown type ${type}`);
    this.#id = header.readUInt32BE(1);
    const length = type === MUX_FRAME.window ? 0 : value;
    const most = type === MUX_FRAME.data ? MAX_MUX_DATA_BYTES : MAX_MUX_TEXT_BYTES;
    if (length > most) throw new MuxProtocolError(`a frame of ${length} bytes, where ${most} are the most`);
    if (length > 0) {
      this.#type = type;
      this.#wanted = length;
      return;
    }
    this.#next();
    if (type !== MUX_FRAME.data) this.#to.onFrame(type, this.#id, value, Buffer.alloc(0));
  }

  #next(): void {
    this.#type = null;
    this.#wanted = MUX_HEADER_BYTES;
  }
}
