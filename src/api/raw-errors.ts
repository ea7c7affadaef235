import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionError } from 'fastify';
import { CodedError } from '../protocol/errors.ts';
import { PROBLEM_TYPE, problemJson } from './problem.ts';

/** How long a client may go on sending after its refusal, so that it can read it before the connection goes. */
const LINGER_MS = 1_000;
const MAX_LINE = 8_192;

type ParserError = Omit<ConnectionError, 'rawPacket'> & { rawPacket?: unknown; reason?: string };

/** Answers what Node's HTTP parser refuses, so that it is a problem document too and not just a closed connection. */
export function onClientError(error: ParserError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const answering = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage;
  if (answering?.headersSent) {
    socket.destroy();
    return;
  }
  refuse(socket, toCoded(error));
}

/** Handlers for what reaches a server as events of their own and would else be answered without a word. */
export function refuseOddRequests(server: Server): void {
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    refuse(
      socket,
      new CodedError('METHOD_NOT_ALLOWED', 'expected a call of the API; found CONNECT'),
      'Allow: GET\r\n',
    );
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const error = new CodedError('MALFORMED_REQUEST', `expected no Expect header but 100-continue`);
    const body = problemJson(error, '');
    response.writeHead(error.status, {
      'content-type': PROBLEM_TYPE,
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    });
    response.end(body);
    request.resume();
  });
}

function toCoded(error: ParserError): CodedError {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return isLongAddress(error.rawPacket)
        ? new CodedError('URI_TOO_LONG', 'the address is longer than the server reads')
        : new CodedError('HEADERS_TOO_LARGE', 'expected at most 16 KiB of headers');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new CodedError('BODY_TOO_LARGE', 'the chunk extensions of the body are too long');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new CodedError('REQUEST_TIMEOUT', "the request's headers did not arrive in time");
    default:
      return new CodedError(
        'MALFORMED_REQUEST',
        `not valid HTTP: ${error.reason ?? 'it could not be parsed'}`,
      );
  }
}

/** Whether the first packet of a request has a first line that alone is too long. */
function isLongAddress(packet: unknown): boolean {
  if (!Buffer.isBuffer(packet) || !/^[A-Z]{3,20} /.test(packet.toString('latin1', 0, 21))) return false;
  const end = packet.indexOf('\r\n');
  return end === -1 || end > MAX_LINE;
}

/** Answers a request whose connection is handed over raw, and closes it. */
export function refuse(socket: Duplex, error: CodedError, headers = ''): void {
  const body = problemJson(error, '');
  socket.end(
    `HTTP/1.1 ${error.status} Refused\r\nContent-Type: ${PROBLEM_TYPE}\r\n${headers}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.on('error', () => socket.destroy());
}
