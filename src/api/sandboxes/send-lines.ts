import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** The media type of streams of JSON lines. */
export const LINES = 'application/x-ndjson';

/** Sends each as a line of JSON, as it comes and at the pace at which the client reads. */
export function sendLines(reply: FastifyReply, lines: AsyncIterable<unknown>): FastifyReply {
  return reply
    .header('content-type', `${LINES}; charset=utf-8`)
    .header('cache-control', 'no-store')
    .send(Readable.from(asText(lines), { objectMode: false }));
}

async function* asText(lines: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}
