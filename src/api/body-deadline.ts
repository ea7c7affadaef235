import type { FastifyReply, FastifyRequest } from 'fastify';
import { CodedError } from '../protocol/errors.ts';

const LINGER_MS = 5_000;

/** Refuses a body that trickles in: from now on it has `ms` milliseconds. Bodies that are streamed have none. */
export function watchBody(request: FastifyRequest, reply: FastifyReply, ms: number): void {
  if (request.raw.complete || !hasBody(request)) return;
  const timer = setTimeout(() => {
    if (request.raw.complete || reply.sent) return;
    reply.send(new CodedError('REQUEST_TIMEOUT', `expected the whole body within ${ms / 1_000} s`));
  }, ms);
  const stop = () => clearTimeout(timer);
  request.raw.once('end', stop);
  reply.raw.once('close', stop);
}

const hasBody = ({ headers }: FastifyRequest) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * Lets a refused client send the rest of its body for a while: a connection closed while it sends loses the answer.
 */
export function drainRest(request: FastifyRequest): void {
  const { raw } = request;
  if (raw.complete || raw.destroyed) return;
  raw.resume();
  const timer = setTimeout(() => raw.destroy(), LINGER_MS);
  raw.once('close', () => clearTimeout(timer));
  raw.socket.once('close', () => clearTimeout(timer));
}
