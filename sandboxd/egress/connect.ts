import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { join } from './join.ts';
import type { EgressLink } from './link.ts';
import { type Refusal, toHttp } from './refusal.ts';

/** Answers `CONNECT host:port`: the connection becomes a tunnel, or is told why not. */
export async function connectThrough(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  link: EgressLink,
): Promise<void> {
  socket.on('error', () => socket.destroy());
  const opened = await link.open(request.url ?? '');
  if ('refusal' in opened) return refuse(socket, toHttp(opened.refusal));
  if (socket.destroyed) {
    opened.stream.destroy();
    return;
  }
  socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
  if (head.length > 0) socket.unshift(head);
  join(socket, opened.stream);
}

function refuse(socket: Duplex, { status, reason, headers, text }: Refusal): void {
  const lines = Object.entries({ ...headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.end(`HTTP/1.1 ${status} ${reason}\r\n${lines.join('\r\n')}\r\n\r\n${text}`);
}
