import type { FastifyReply, FastifyRequest } from 'fastify';
import { CodedError, type ErrorCode } from '../protocol/errors.ts';
import { baseUrl } from './base-url.ts';
import type { Api } from './options.ts';
import { PROBLEM_TYPE, problemJson } from './problem.ts';
import { RangeNotSatisfiable } from './range.ts';

/** Fastify's own codes that are the client's doing, as ours. */
const FRAMEWORK: Record<string, [ErrorCode, string]> = {
  FST_ERR_BAD_URL: ['MALFORMED_REQUEST', 'the address could not be decoded'],
  FST_ERR_MAX_PARAM_LENGTH: ['URI_TOO_LONG', 'a part of the address is too long'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'the body has no type that this call takes'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['MALFORMED_REQUEST', 'the body is not as long as Content-Length says'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['MALFORMED_JSON', 'expected a JSON object; the body is empty'],
};
/** Any thrown value as an error with a code of the registry. */
export function toCodedError(error: unknown, maxBodyMb: number): CodedError {
  if (error instanceof CodedError) return error;
  const { code = '' } = error instanceof Error ? (error as Error & { code?: string }) : {};
  const known = FRAMEWORK[code];
  if (known) return new CodedError(known[0], known[1], { cause: error });
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new CodedError('BODY_TOO_LARGE', `expected a body of at most ${maxBodyMb} MiB (MAX_BODY_MB)`);
  }
  return new CodedError('INTERNAL', 'the server met a fault of its own', { cause: error });
}

const CLIENT_GONE = new CodedError(
  'MALFORMED_REQUEST',
  'the connection was cut before the request was whole',
);

/** The client went in the middle of its request: what that breaks is no fault of the server. */
const isGone = ({ raw }: FastifyRequest) => raw.destroyed && !raw.complete;

/** Answers an error as problem details. What is the server's own fault is logged, and the client is not told more. */
export function sendError(
  api: Api,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  extra = {},
) {
  const error = isGone(request) ? CLIENT_GONE : toCodedError(thrown, api.config.MAX_BODY_MB);
  if (error.status >= 500) request.log.error({ code: error.code, err: causeOf(error) }, 'request failed');
  if (error.code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer realm="containerized-agent"');
  if (error.code === 'QUEUE_FULL') reply.header('retry-after', '30');
  if (error.code === 'STORE_UNAVAILABLE') reply.header('retry-after', '5');
  // Headers of the answer that was meant to be do not fit a problem.
  for (const name of [
    'content-length',
    'content-range',
    'content-disposition',
    'etag',
    'accept-ranges',
    'location',
  ]) {
    reply.removeHeader(name);
  }
  if (error instanceof RangeNotSatisfiable) reply.header('content-range', `bytes */${error.size}`);
  return reply
    .code(error.status)
    .header('content-type', PROBLEM_TYPE)
    .header('cache-control', 'no-store')
    .serializer((text: string) => text)
    .send(problemJson(error, errorBase(api, request), extra));
}

const errorBase = (api: Api, request: FastifyRequest) =>
  api.config.PUBLIC_URL ? baseUrl(request, api.config) : '';

/** Name, code, message and stack only: errors of the database carry rows, and rows hold what users wrote. */
function causeOf(error: CodedError) {
  const cause = error.cause instanceof Error ? error.cause : error;
  const { name, message, stack } = cause;
  return { type: name, message, stack, code: (cause as { code?: string }).code };
}
