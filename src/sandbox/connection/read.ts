import { Readable } from 'node:stream';
import { FRAME, type Frame } from '../../protocol/frames.ts';
import { CALLS, FileInfo } from '../../protocol/sandboxd.ts';
import type { CallOptions } from '../sandbox.ts';
import { parseFrame, unexpected } from './answer.ts';
import { callFrames } from './call.ts';
import type { Link } from './link.ts';

/** Reads a regular file: what it is, then its bytes as a stream that fails when it is cut. */
export async function read(
  link: Link,
  path: string,
  { signal, offset, length }: CallOptions & { offset?: number; length?: number } = {},
): Promise<{ info: FileInfo; bytes: Readable }> {
  const args = { path, ...(offset !== undefined && { offset }), ...(length !== undefined && { length }) };
  const frames = callFrames(await link.session(signal), { path: CALLS.fileRead, args, signal });
  const first = await frames.next();
  if (first.done) throw unexpected('no message');
  try {
    const info = parseFrame(FileInfo, first.value);
    return { info, bytes: Readable.from(payloads(frames), { objectMode: false }) };
  } catch (error) {
    await frames.return(undefined);
    throw error;
  }
}

async function* payloads(frames: AsyncGenerator<Frame>): AsyncGenerator<Buffer> {
  for await (const { kind, payload } of frames) {
    if (kind !== FRAME.data) throw unexpected('a message among the bytes');
    yield payload;
  }
}
