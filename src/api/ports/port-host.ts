import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../../config.ts';
import { ID_PATTERN } from '../../protocol/ids.ts';
import { type PortAddress, portUrl } from '../../protocol/ports.ts';
import { baseUrl } from '../base-url.ts';

/**
 * The port whose own host name the request came to: `PORT-ID.DOMAIN`. Each has an origin of its own, so that what a
 * hostile program serves there can neither read nor write anything of the API's pages or of another port's.
 */
export function portOfHost(
  { headers }: Pick<IncomingMessage, 'headers'>,
  { PORTS_DOMAIN }: Pick<Config, 'PORTS_DOMAIN'>,
): PortAddress | null {
  const name = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (!name.endsWith(`.${PORTS_DOMAIN}`)) return null;
  const [, port = '', id = ''] = /^(\d{1,5})-([^.]+)$/.exec(name.slice(0, -PORTS_DOMAIN.length - 1)) ?? [];
  return asAddress(id, port);
}

/** The port that a path names, `/ports/ID/PORT/...`, and where the rest of the path starts. */
export function portOfPath(url: string): (PortAddress & { prefix: string }) | null {
  const [prefix = '', id = '', port = ''] = /^\/ports\/([^/?]+)\/(\d{1,5})(?=[/?]|$)/.exec(url) ?? [];
  const address = asAddress(id, port);
  return address && { ...address, prefix };
}

function asAddress(id: string, port: string): PortAddress | null {
  const number = Number(port);
  return ID_PATTERN.test(id) && number >= 1 && number <= 65_535 ? { id, port: number } : null;
}

/** Where the browser of whoever asks reaches the port. */
export const urlOfPort = (request: FastifyRequest, config: Config, address: PortAddress): string =>
  portUrl(baseUrl(request, config), config.PORTS_DOMAIN, address);
