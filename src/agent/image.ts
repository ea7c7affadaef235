import { CodedError } from '../protocol/errors.ts';
import type { ImageRef } from '../protocol/events.ts';

/** Providers take 5 MB of base64 for one image, and 8,000 pixels a side. */
const MAX_BYTES = 3_700_000;
const MAX_SIDE = 8_000;

/** A job's images, which lie beside its events: these only name them. */
export interface JobImages {
  /**
   * Keeps an image for as long as the job is kept; the same bytes are kept once.
   * @throws CodedError INVALID_ARGUMENT when they are no image that a model can be shown, or the job has too many.
   */
  save(bytes: Buffer): Promise<ImageRef>;
  /** Null when it is no longer there. */
  load(ref: ImageRef): Promise<Buffer | null>;
}

/**
 * What an image says of itself: nothing that a sandbox says of it is believed, and what a provider would refuse with
 * the whole request is refused here.
 * @throws CodedError INVALID_ARGUMENT unless it is a PNG or JPEG of at most 3.7 MB and 8,000 pixels a side.
 */
export function inspectImage(bytes: Buffer): Pick<ImageRef, 'media_type' | 'width' | 'height'> {
  const found = pngSize(bytes) ?? jpegSize(bytes);
  if (!found) throw refused('a PNG or JPEG', `${bytes.length} bytes of something else`);
  const { width, height } = found;
  if (Math.min(width, height) < 1 || Math.max(width, height) > MAX_SIDE)
    throw refused(`1 to ${MAX_SIDE} pixels a side`, `${width}x${height}`);
  if (bytes.length > MAX_BYTES) throw refused(`at most ${MAX_BYTES} bytes`, `${bytes.length}`);
  return found;
}

const refused = (expected: string, found: string): CodedError =>
  new CodedError('INVALID_ARGUMENT', `Expected an image of ${expected}; found ${found}.`);

const PNG_START = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');

function pngSize(bytes: Buffer) {
  if (bytes.length < 24 || !bytes.subarray(0, PNG_START.length).equals(PNG_START)) return null;
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  return { media_type: 'image/png' as const, width, height };
}

/** Goes from segment to segment up to the frame's header (SOF0 to SOF15, less the tables numbered among them). */
function jpegSize(bytes: Buffer) {
  if (bytes.length < 2 || bytes.readUInt16BE(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] ?? 0;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [height, width] = [bytes.readUInt16BE(at + 5), bytes.readUInt16BE(at + 7)];
      return { media_type: 'image/jpeg' as const, width, height };
    }
    at += 2 + Math.max(2, bytes.readUInt16BE(at + 2));
  }
  return null;
}
