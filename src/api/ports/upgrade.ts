import { request as httpRequest, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { CodedError } from '../../protocol/errors.ts';
import { joinStreams } from '../live/join-streams.ts';
import { liveSandbox } from '../live/live-sandbox.ts';
import { signalOfSocket } from '../live/socket-signal.ts';
import type { Api } from '../options.ts';
import { mayReach } from './access.ts';
import { headersForClient, headersForProgram, type PortRoute } from './headers.ts';

const ANSWER_MS = 30_000;

/**
 * Hands a request for a WebSocket to a program in a sandbox; from then on bytes go both ways.
 * @throws CodedError as reaching the port does; CONNECTION_LOST when the program does not answer.
 */
export async function upgradeToPort(
  api: Api,
  route: PortRoute,
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
): Promise<void> {
  if (!mayReach(api, request.headers, route)) {
    throw new CodedError('UNAUTHORIZED', 'expected an API key or a ticket for this port; found neither');
  }
  const sandbox = await liveSandbox(api, route.id, signalOfSocket(client));
  const tunnel = await sandbox.openPort(route.port, { signal: AbortSignal.timeout(ANSWER_MS) });
  tunnel.on('error', () => {});
  client.once('close', () => tunnel.destroy());
  const path = (request.url ?? '/').slice(route.prefix.length);
  const inner = httpRequest({
    createConnection: () => tunnel,
    method: request.method,
    path: path.startsWith('/') ? path : `/${path}`,
    headers: [
      ...headersForProgram(api, request, route),
      ...['Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? 'websocket'],
    ],
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => inner.destroy(new Error(`no answer within ${ANSWER_MS / 1_000} s`)),
    ANSWER_MS,
  );
  inner.on('error', (cause) =>
    reject(new CodedError('CONNECTION_LOST', `the program on port ${route.port} gave no answer`, { cause })),
  );
  inner.once('upgrade', (answer, _socket, first) => {
    const upgrade = ['Connection', 'Upgrade', 'Upgrade', answer.headers.upgrade ?? 'websocket'];
    client.write(headOf(answer, [...headersForClient(answer, route, ''), ...upgrade]));
    if (first.length > 0) client.write(first);
    if (head.length > 0) tunnel.write(head);
    joinStreams(client, tunnel);
    resolve();
  });
  inner.once('response', (answer) => {
    client.write(headOf(answer, [...headersForClient(answer, route, ''), 'Connection', 'close']));
    answer.on('error', () => client.destroy());
    answer.pipe(client);
    resolve();
  });
  inner.end();
  await promise.finally(() => clearTimeout(timer));
}

function headOf({ statusCode = 502, statusMessage }: IncomingMessage, headers: readonly string[]): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage || STATUS_CODES[statusCode] || ''}`];
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
