import { CodedError } from './errors.ts';

/**
 * The framing of every call between a worker and sandboxd, both ways:
 * one byte of kind, four bytes of length (big-endian), then the payload.
 */
export const FRAME = {
  /** JSON: a call's arguments, a message of its answer. */
  json: 0,
  /** Bytes of a process's stdin or stdout, or of a file. */
  data: 1,
  /** Bytes of a process's stderr. */
  stderr: 2,
} as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

export interface Frame {
  kind: FrameKind;
  payload: Buffer;
}

/** The last word of a call that went well. Any other is an ErrorInfo as JSON. */
export const CALL_OK = 'ok';

export const FRAME_HEADER_BYTES = 5;
/** A peer that announces more is broken or hostile: the call ends before anything is buffered. */
export const MAX_JSON_BYTES = 16 * 1024 * 1024;
export const MAX_DATA_BYTES = 1024 * 1024;

export function frameHeader(kind: FrameKind, length: number): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header[0] = kind;
  header.writeUInt32BE(length, 1);
  return header;
}

export function encodeJson(value: unknown): Buffer {
  const payload = Buffer.from(JSON.stringify(value));
  return Buffer.concat([frameHeader(FRAME.json, payload.length), payload]);
}

const isKind = (kind: number): kind is FrameKind =>
  kind === FRAME.json || kind === FRAME.data || kind === FRAME.stderr;

/**
 * The frames of a byte stream, in order. Data frames are handed out in pieces as they arrive, so nothing
 * larger than a chunk of the stream is held; JSON frames come whole.
 * @throws CodedError CONNECTION_LOST when the stream breaks a rule or ends inside a frame.
 */
export async function* decodeFrames(stream: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  let kind: FrameKind = FRAME.json;
  let missing = 0;
  let pieces: Buffer[] = [];
  for await (const chunk of stream) {
    let input = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    rest = Buffer.alloc(0);
    while (input.length > 0) {
      if (missing === 0) {
        if (input.length < FRAME_HEADER_BYTES) {
          rest = input;
          break;
        }
        const announced = input[0] ?? 255;
        missing = input.readUInt32BE(1);
        if (!isKind(announced)) throw broken(`a frame of unknown kind ${announced}`);
        kind = announced;
        const most = kind === FRAME.json ? MAX_JSON_BYTES : MAX_DATA_BYTES;
        if (missing > most) throw broken(`a frame of ${missing} bytes, where ${most} are the most`);
        input = input.subarray(FRAME_HEADER_BYTES);
        if (missing === 0) {
          yield { kind, payload: Buffer.alloc(0) };
          continue;
        }
      }
      const piece = input.subarray(0, missing);
      input = input.subarray(piece.length);
      missing -= piece.length;
      if (kind !== FRAME.json) {
        if (piece.length > 0) yield { kind, payload: piece };
      } else {
        pieces.push(piece);
        if (missing === 0) {
          yield { kind, payload: Buffer.concat(pieces) };
          pieces = [];
        }
      }
    }
  }
  if (missing > 0 || rest.length > 0) throw broken('the end of the stream inside a frame');
}

function broken(found: string): CodedError {
  return new CodedError('CONNECTION_LOST', `The peer broke the framing of the call: found ${found}`);
}
