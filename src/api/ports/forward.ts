import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { CodedError } from '../../protocol/errors.ts';
import type { Api } from '../options.ts';
import { headersForClient, headersForProgram, type PortRoute } from './headers.ts';

/** How long a program may take to begin its answer. */
const ANSWER_MS = 300_000;

export interface Forwarded {
  api: Api;
  route: PortRoute;
  /** A connection to the port, which is used up. */
  tunnel: Duplex;
  /** Where the client reaches the program: scheme, host and port. */
  ownOrigin: string;
}

/**
 * Hands a request to a program in a sandbox and gives its answer, once that has begun.
 * @param body null where the request has none.
 * @throws CodedError CONNECTION_LOST when the program ends or breaks the connection before it has answered, or takes too long.
 */
export function askProgram(
  { api, route, tunnel }: Forwarded,
  request: IncomingMessage,
  path: string,
  body: Readable | null,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const inner = httpRequest({
    createConnection: () => tunnel,
    method: request.method,
    path,
    headers: [...headersForProgram(api, request, route), 'Connection', 'close'],
  });
  const timer = setTimeout(
    () => inner.destroy(new Error(`no answer within ${ANSWER_MS / 1_000} s`)),
    ANSWER_MS,
  );
  inner.once('close', () => clearTimeout(timer));
  inner.once('response', (response) => {
    clearTimeout(timer);
    resolve(response);
  });
  inner.on('error', (cause) =>
    reject(
      new CodedError(
        'CONNECTION_LOST',
        `the program on port ${route.port} gave no answer: ${cause.message}`,
        {
          cause,
          hint: 'Look into its log: it speaks no HTTP, or broke the connection.',
        },
      ),
    ),
  );
  if (body) {
    body.on('error', (error) => inner.destroy(error));
    body.pipe(inner);
  } else inner.end();
  return promise;
}

/** Sends a program's answer on, as it comes; a client that goes ends it, and so does a program that breaks off. */
export function sendAnswer(
  { route, tunnel, ownOrigin }: Forwarded,
  answer: IncomingMessage,
  response: ServerResponse,
): void {
  response.once('close', () => tunnel.destroy());
  answer.on('error', () => response.destroy());
  answer.once('aborted', () => response.destroy());
  response.writeHead(
    answer.statusCode ?? 502,
    answer.statusMessage,
    headersForClient(answer, route, ownOrigin),
  );
  answer.pipe(response);
}
