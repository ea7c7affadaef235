import { CALLS, FileInfo } from '../../protocol/sandboxd.ts';
import type { CallOptions } from '../sandbox.ts';
import { callForOne } from './answer.ts';
import { asBytes } from './as-bytes.ts';
import type { Link } from './link.ts';

/** Writes a file, whole or not at all unless it appends. */
export async function write(
  link: Link,
  path: string,
  bytes: AsyncIterable<Buffer> | Buffer | string,
  { signal, mode, append }: CallOptions & { mode?: number; append?: boolean } = {},
): Promise<FileInfo> {
  const args = { path, ...(mode !== undefined && { mode }), ...(append && { append }) };
  const session = await link.session(signal);
  return callForOne(session, { path: CALLS.fileWrite, args, input: asBytes(bytes), signal }, FileInfo);
}
