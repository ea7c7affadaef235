import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { FRAME } from '../../src/protocol/frames.ts';
import { modified } from '../file/info.ts';
import type { Call } from '../serve/call.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
const PIECE_BYTES = 256 * 1024;
/** Reading this much takes less time than handing it to another thread. */
const SMALL_BYTES = 64 * 1024;
const MODE_BITS = 0o7777;
const readAhead = promisify(read);

/**
 * Sends a file as it is when it is opened: its entry, as many bytes as it has then, its end.
 * @returns false when it is not a regular file any more; throws when it cannot be opened.
 */
export async function sendFile(call: Call, full: string, path: string): Promise<boolean> {
  const fd = openSync(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return false;
    const { size } = stats;
    const mode = stats.mode & MODE_BITS;
    void call
      .json({ event: 'entry', path, type: 'file', size, mode, modified: modified(stats), target: null })
      ?.catch(() => {});
    const complete = await sendBytes(call, fd, size);
    await call.json({ event: 'file_end', complete });
    return true;
  } finally {
    closeSync(fd);
  }
}

/** @returns whether there were as many bytes as expected */
async function sendBytes(call: Call, fd: number, size: number): Promise<boolean> {
  for (let at = 0; at < size; ) {
    call.signal.throwIfAborted();
    const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, size - at));
    const bytes = await readPiece(fd, buffer, at, size <= SMALL_BYTES);
    if (bytes <= 0) return false;
    at += bytes;
    await call.send(FRAME.data, buffer.subarray(0, bytes));
  }
  return true;
}

/** @returns how many bytes were read, 0 at the end and when they cannot be read */
async function readPiece(fd: number, buffer: Buffer, at: number, small: boolean): Promise<number> {
  try {
    if (small) return readSync(fd, buffer, 0, buffer.length, at);
    return (await readAhead(fd, buffer, 0, buffer.length, at)).bytesRead;
  } catch {
    return 0;
  }
}
