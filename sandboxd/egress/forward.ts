import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { hopHeaders } from '../../src/protocol/hop-headers.ts';
import type { MuxStream } from '../../src/protocol/mux/stream.ts';
import type { EgressLink } from './link.ts';
import { badRequest, CUT, type Refusal, toHttp } from './refusal.ts';

const HTTP_PORT = 80;

/** Passes on a request for a whole address, `GET http://host/path`, over a tunnel of its own. */
export async function forward(from: IncomingMessage, to: ServerResponse, link: EgressLink): Promise<void> {
  const url = URL.parse(from.url ?? '');
  if (url?.protocol !== 'http:')
    return refuse(to, badRequest(JSON.stringify(String(from.url).slice(0, 200))));
  const opened = await link.open(`${url.hostname}:${url.port || HTTP_PORT}`);
  if ('refusal' in opened) return refuse(to, toHttp(opened.refusal));
  pass(from, to, url, opened.stream);
}

function pass(from: IncomingMessage, to: ServerResponse, url: URL, stream: MuxStream): void {
  const onward = request({
    createConnection: () => stream,
    method: from.method ?? 'GET',
    path: `${url.pathname}${url.search}`,
    setHost: false,
    headers: { ...endToEnd(from.headers), host: url.host, connection: 'close' },
  });
  onward.once('response', (answer) => {
    to.writeHead(answer.statusCode ?? CUT.status, answer.statusMessage ?? '', endToEnd(answer.headers));
    pipeline(answer, to, (error) => {
      if (error) to.destroy();
      stream.destroy();
    });
  });
  onward.once('error', () => refuse(to, CUT));
  to.once('close', () => onward.destroy());
  from.on('error', () => onward.destroy());
  from.pipe(onward);
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
