/**
 * The frames of a {@link Mux}: one byte of type, four of the stream's number, four of a value (both big-endian), and,
 * where the type has a payload, as many bytes as the value says.
 */
export const MUX_FRAME = {
  /** Opens a stream, with what it is for. Numbers rise. */
  open: 1,
  /** The peer has taken it up; only where the two have agreed that this is said. */
  accept: 2,
  data: 3,
  /** The end of this direction, with a last word on how it went. Nothing but the peer itself makes one. */
  end: 4,
  /** The end of both directions at once, with why. */
  reset: 5,
  /** No payload: so many more bytes may be sent. */
  window: 6,
  ping: 7,
  pong: 8,
} as const;
export type MuxFrameType = (typeof MUX_FRAME)[keyof typeof MUX_FRAME];
export type MuxTextType = Exclude<MuxFrameType, typeof MUX_FRAME.data>;

export const MUX_HEADER_BYTES = 9;
/** Short, so that a large transfer never keeps a small call waiting. */
export const MAX_MUX_DATA_BYTES = 64 * 1024;
/** What `open`, `end` and `reset` may say. */
export const MAX_MUX_TEXT_BYTES = 64 * 1024;

/** What a stream may get before its reader has taken anything. */
export const FIRST_WINDOW_BYTES = 64 * 1024;
/** What one may get on top, once its reader has shown that it reads. */
export const MORE_WINDOW_BYTES = 448 * 1024;

export function muxHeader(type: MuxFrameType, id: number, value: number): Buffer {
  const header = Buffer.allocUnsafe(MUX_HEADER_BYTES);
  header[0] = type;
  header.writeUInt32BE(id, 1);
  header.writeUInt32BE(value, 5);
  return header;
}

/** A peer that breaks a rule of the protocol loses its connection. */
export class MuxProtocolError extends Error {
  constructor(found: string) {
    super(`The peer broke the multiplexing protocol: found ${found}`);
  }
}
