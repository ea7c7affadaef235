/** What clients send by the RFB protocol (RFC 6143, 7.5, and the extensions that noVNC and TigerVNC share), by type. */
export interface MessageKind {
  /** Whether it acts on the desktop, so that only who has control may send it. */
  input: boolean;
  /** Bytes of the whole message, told by its first bytes; null while those do not suffice. */
  length(bytes: Buffer): number | null;
}

const fixed = (bytes: number) => () => bytes;
/** Type, padding, then a count at an offset that says how much follows. */
const counted = (header: number, count: (bytes: Buffer) => number) => (bytes: Buffer) =>
  bytes.length < header ? null : header + count(bytes);

export const MESSAGES: ReadonlyMap<number, MessageKind> = new Map<number, MessageKind>([
  [0, { input: false, length: fixed(20) }], // SetPixelFormat
  [2, { input: false, length: counted(4, (bytes) => 4 * bytes.readUInt16BE(2)) }], // SetEncodings
  [3, { input: false, length: fixed(10) }], // FramebufferUpdateRequest
  [4, { input: true, length: fixed(8) }], // KeyEvent
  [5, { input: true, length: fixed(6) }], // PointerEvent
  // ClientCutText; a negative length is that of the extended clipboard.
  [6, { input: true, length: counted(8, (bytes) => Math.abs(bytes.readInt32BE(4))) }],
  [150, { input: false, length: fixed(10) }], // EnableContinuousUpdates
  [248, { input: false, length: counted(9, (bytes) => bytes.readUInt8(8)) }], // ClientFence
  [255, { input: true, length: fixed(12) }], // QEMU extended KeyEvent, the only one of its kind that is announced
]);
export const SET_ENCODINGS = 2;
export const QEMU = 255;

/**
 * Encodings that a client may ask for. What is left out would let it send further kinds of messages (resizing the
 * screen, power control), or others of a known kind (longer pointer events).
 */
export const ENCODINGS: ReadonlySet<number> = new Set([
  ...[0, 1, 2, 5, 6, 7, 15, 16, 21, 50, -260], // Raw, CopyRect, RRE, Hextile, Zlib, Tight, TRLE, ZRLE, JPEG, H.264, TightPNG
  ...range(-32, -23), // JPEG quality
  ...range(-256, -247), // compression level
  ...[-223, -224, -239, -240, -314, 0x574d5664], // DesktopSize, LastRect, the cursors
  ...[-258, -261, -307, -312, -313], // QEMU keys and LEDs, DesktopName, Fence, ContinuousUpdates
  0xc0a1e5ce | 0, // extended clipboard
]);

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
