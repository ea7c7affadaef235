/** Bytes or text as a source of bytes. */
export async function* asBytes(bytes: AsyncIterable<Buffer> | Buffer | string): AsyncGenerator<Buffer> {
  if (typeof bytes === 'string') yield Buffer.from(bytes);
  else if (Buffer.isBuffer(bytes)) yield bytes;
  else yield* bytes;
}
