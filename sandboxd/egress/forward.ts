import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { ClientHttp2Stream } from 'node:http2';
import { Duplex, pipeline, Writable } from 'node:stream';
import { hopHeaders } from '../../src/protocol/hop-headers.ts';
import type { EgressLink } from './link.ts';
import { badRequest, CUT, NO_WORKER, type Refusal, readRefusal } from './refusal.ts';

const HTTP_PORT = 80;

/** Passes on a request for a whole address, `GET http://host/path`, over a tunnel of its own. */
export async function forward(from: IncomingMessage, to: ServerResponse, link: EgressLink): Promise<void> {
  const url = URL.parse(from.url ?? '');
  if (url?.protocol !== 'http:')
    return refuse(to, badRequest(JSON.stringify(String(from.url).slice(0, 200))));
  const tunnel = await link.open(`${url.hostname}:${url.port || HTTP_PORT}`);
  if (!tunnel) return refuse(to, NO_WORKER);
  if (tunnel.status !== 200) return refuse(to, await readRefusal(tunnel));
  pass(from, to, url, tunnel.stream);
}

function pass(from: IncomingMessage, to: ServerResponse, url: URL, stream: ClientHttp2Stream): void {
  const onward = request({
    createConnection: () => bytesOnly(stream),
    method: from.method ?? 'GET',
    path: `${url.pathname}${url.search}`,
    setHost: false,
    headers: { ...endToEnd(from.headers), host: url.host, connection: 'close' },
  });
  onward.once('response', (answer) => {
    to.writeHead(answer.statusCode ?? CUT.status, answer.statusMessage ?? '', endToEnd(answer.headers));
    pipeline(answer, to, (error) => {
      if (error) to.destroy();
      stream.close();
    });
  });
  onward.once('error', () => refuse(to, CUT));
  to.once('close', () => onward.destroy());
  from.on('error', () => onward.destroy());
  from.pipe(onward);
}

/**
 * Node.js (seen with 24.21) sends the wrong memory for a string that its HTTP/2 stream gets together with bytes, which
 * the head and the body of a request are: here everything becomes bytes, written piece by piece.
 */
function bytesOnly(stream: ClientHttp2Stream): Duplex {
  const writable = new Writable({
    write: (bytes, _, done) => void stream.write(bytes, done),
    final: (done) => void stream.end(done),
  });
  return Duplex.from({ readable: stream, writable });
}

export function refuse(to: ServerResponse, { status, reason, headers, text }: Refusal): void {
  if (to.headersSent) {
    to.destroy();
    return;
  }
  to.writeHead(status, reason, headers);
  to.end(text);
}

function endToEnd(headers: IncomingMessage['headers']): Record<string, string | string[]> {
  const dropped = hopHeaders([headers.connection ?? '']);
  const kept = Object.entries(headers).filter(([name]) => !dropped.has(name));
  return Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
