import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';

/** A host name or address with an optional port, and nothing that could end up as markup or another header. */
export const HOST_HEADER = /^(?:\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(?::\d{1,5})?$/;

/** Where the client reaches the server, without a slash at the end: PUBLIC_URL, else the address it used. */
export function baseUrl(request: FastifyRequest, config: Pick<Config, 'PUBLIC_URL'>): string {
  if (config.PUBLIC_URL) return config.PUBLIC_URL.replace(/\/+$/, '');
  const { host } = request.headers;
  if (host && HOST_HEADER.test(host)) return `http://${host}`;
  const { localAddress, localPort } = request.raw.socket;
  return `http://${localAddress?.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;
}
