import { CodedError } from '../protocol/errors.ts';

/** Bytes `from` up to and without `to`. */
export interface ByteRange {
  from: number;
  to: number;
}

/**
 * The part that a Range header asks for, or null for the whole: without a header, for several ranges, another unit,
 * or a header that cannot be read, as RFC 9110 has it.
 * @throws RangeNotSatisfiable
 */
export function parseRange(header: string | undefined, size: number): ByteRange | null {
  const match = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/.exec(header?.trim() ?? '');
  if (!match) return null;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    if (Number(suffix) === 0 || size === 0) throw new RangeNotSatisfiable(size);
    return { from: Math.max(0, size - Number(suffix)), to: size };
  }
  const from = Number(first);
  const to = last === undefined ? size : Math.min(size, Number(last) + 1);
  if (last !== undefined && Number(last) < from) return null;
  if (from >= size) throw new RangeNotSatisfiable(size);
  return { from, to };
}

/** The range lies outside of the content; the answer names the size in Content-Range. */
export class RangeNotSatisfiable extends CodedError {
  readonly size: number;

  constructor(size: number) {
    super('RANGE_NOT_SATISFIABLE', `expected a range within ${size} bytes`);
    this.size = size;
  }
}
