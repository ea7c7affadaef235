import type { FastifyReply, FastifyRequest } from 'fastify';

/** One line for each answer. Neither headers nor bodies nor the query are in it: they may hold keys and secrets. */
export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const { id } = (request.params ?? {}) as { id?: string };
  const line = {
    method: request.method,
    path: request.url.split('?', 1)[0]?.slice(0, 300),
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    ...(id !== undefined && { job_id: id.slice(0, 64) }),
  };
  if (request.routeOptions.config?.probe) request.log.debug(line, 'answered');
  else request.log.info(line, 'answered');
}
