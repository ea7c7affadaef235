import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ByteRange, parseRange } from './range.ts';

/**
 * Sends content of a known size as a stream: whole, or the part that the Range header asks for; to HEAD only the
 * headers. `open` is called for what is sent alone, and its stream is destroyed when the client goes.
 * @throws RangeNotSatisfiable
 */
export async function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  size: number,
  open: (range: ByteRange) => AsyncIterable<Buffer> | Promise<AsyncIterable<Buffer>>,
): Promise<FastifyReply> {
  reply.header('accept-ranges', 'bytes');
  const range = rangeApplies(request, reply) ? parseRange(request.headers.range, size) : null;
  const { from, to } = range ?? { from: 0, to: size };
  if (range) reply.code(206).header('content-range', `bytes ${from}-${to - 1}/${size}`);
  reply.header('content-length', to - from);
  if (request.method === 'HEAD') return reply.send();
  if (from === to) return reply.send('');
  const bytes = await open({ from, to });
  return reply.send(Readable.from(whole(bytes, to - from), { objectMode: false }));
}

/** Fails where the bytes end early: an answer shorter than it said would leave the client waiting. */
async function* whole(bytes: AsyncIterable<Buffer>, length: number): AsyncGenerator<Buffer> {
  let sent = 0;
  for await (const chunk of bytes) {
    sent += chunk.length;
    yield chunk;
  }
  if (sent !== length) throw new Error(`expected ${length} bytes to send; found ${sent}`);
}

/** If-Range: a part only of the content that the client has the beginning of. */
function rangeApplies(request: FastifyRequest, reply: FastifyReply): boolean {
  const condition = request.headers['if-range'];
  return condition === undefined || condition === reply.getHeader('etag');
}

/** Whether If-None-Match has this entity tag, so that 304 is the answer. */
export function isUnchanged(request: FastifyRequest, etag: string): boolean {
  const header = request.headers['if-none-match'];
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
