import { copyFile, open, stat, truncate } from 'node:fs/promises';

const MAX_BYTES = 8 * 2 ** 20;

/** Keeps PostgreSQL's log short: past 8 MiB it goes to `FILE.1`, in the place of the one before. */
export async function boundLog(path: string): Promise<void> {
  const info = await stat(path).catch(() => null);
  if (!info || info.size <= MAX_BYTES) return;
  await copyFile(path, `${path}.1`);
  // The server appends, so it goes on at the start.
  await truncate(path);
}

/** The end of a log, for the message of what went wrong. */
export async function logTail(path: string, bytes = 2_000): Promise<string> {
  const file = await open(path, 'r').catch(() => null);
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, from);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
  }
}
