const BLOCK = 512;
/** Where a header has its numbers (POSIX.1-1988 ustar): offset and length of each field. */
const UID = [108, 8] as const;
const GID = [116, 8] as const;
const SIZE = [124, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE = 156;
/** Links, devices, folders and pipes: what is written as their size is not followed by any bytes. */
const WITHOUT_CONTENT = /[2-6]/;

/** A tarball in which every user and group has a number that is higher by so much; its names and files are the same. */
export async function* shiftOwners(tarball: AsyncIterable<Buffer>, by: number): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  /** Bytes of a file, and what fills its last block up, that are still to be passed on. */
  let content = 0;
  for await (const chunk of tarball) {
    let at = 0;
    const bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : Buffer.from(chunk);
    while (at < bytes.length) {
      if (content > 0) {
        const step = Math.min(content, bytes.length - at);
        content -= step;
        at += step;
      } else {
        if (bytes.length - at < BLOCK) break;
        content = shiftHeader(bytes.subarray(at, at + BLOCK), by);
        at += BLOCK;
      }
    }
    yield bytes.subarray(0, at);
    rest = bytes.subarray(at);
  }
  if (rest.length > 0 || content > 0) throw new Error('Expected a whole tarball; it ends within an entry.');
}

/** Changes a header in place; gives how many bytes of content follow it. */
function shiftHeader(header: Buffer, by: number): number {
  // The end is told by blocks of zeros.
  if (header.every((byte) => byte === 0)) return 0;
  // Root's in tar's own entries, such as those of long names, whoever the files belong to.
  for (const field of [UID, GID]) write(header, field, Math.max(0, read(header, field) + by));
  header.fill(' ', CHECKSUM[0], CHECKSUM[0] + CHECKSUM[1]);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM[0], 'latin1');
  if (WITHOUT_CONTENT.test(String.fromCharCode(header[TYPE] ?? 0))) return 0;
  return Math.ceil(read(header, SIZE) / BLOCK) * BLOCK;
}

/** A number in octal digits or, with its first bit set, in binary, as GNU tar writes what is too large for those. */
function read(header: Buffer, [at, length]: readonly [number, number]): number {
  const first = header[at] ?? 0;
  if (first & 0x80) return header.readUIntBE(at + length - 6, 6);
  return Number.parseInt(header.toString('latin1', at, at + length), 8) || 0;
}

function write(header: Buffer, [at, length]: readonly [number, number], value: number): void {
  const digits = value.toString(8).padStart(length - 1, '0');
  if (digits.length < length) {
    header.write(`${digits}\0`, at, 'latin1');
    return;
  }
  header.fill(0, at, at + length);
  header[at] = 0x80;
  header.writeUIntBE(value, at + length - 6, 6);
}
