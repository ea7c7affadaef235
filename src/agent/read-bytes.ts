import { CodedError } from '../protocol/errors.ts';
import type { FileInfo } from '../protocol/sandboxd.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** The first `limit` bytes of a regular file, from an offset on. */
export async function readBytes(
  sandbox: Sandbox,
  path: string,
  limit: number,
  signal: AbortSignal,
  offset = 0,
): Promise<{ info: FileInfo; bytes: Buffer }> {
  const { info, bytes } = await sandbox.read(path, { signal, offset, length: limit });
  const chunks: Buffer[] = [];
  for await (const chunk of bytes as AsyncIterable<Buffer>) chunks.push(chunk);
  return { info, bytes: Buffer.concat(chunks).subarray(0, limit) };
}

/** The permission bits of an existing file; null where there is none. */
export async function modeOf(sandbox: Sandbox, path: string, signal: AbortSignal): Promise<number | null> {
  try {
    return (await sandbox.stat(path, { signal })).mode;
  } catch (error) {
    if (error instanceof CodedError && error.code === 'PATH_NOT_FOUND') return null;
    throw error;
  }
}
