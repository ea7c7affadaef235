import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CodedError } from '../../protocol/errors.ts';
import { baseUrl } from '../base-url.ts';
import { liveSandbox } from '../live/live-sandbox.ts';
import type { Api } from '../options.ts';
import { mayReach, TICKET_COOKIE, ticketOfUrl } from './access.ts';
import { askProgram, type Forwarded, sendAnswer } from './forward.ts';
import type { PortRoute } from './headers.ts';
import { portOfHost, portOfPath } from './port-host.ts';

interface Wanted extends PortRoute {
  /** What the program is asked for: path and query. */
  path: string;
}

/** The port that a request is for, and how it came to it. @throws CodedError NOT_FOUND */
function wantedOf(request: FastifyRequest, api: Api): Wanted {
  const ofPath = portOfPath(request.url);
  if (!ofPath)
    throw new CodedError('NOT_FOUND', 'expected the address of a port, /ports/ID/PORT/, of 1 to 65535');
  const rest = request.url.slice(ofPath.prefix.length);
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  // What comes by a port's own host name was sent below /ports as well.
  return { ...ofPath, path, ...(portOfHost(request.raw, api.config) && { prefix: '' }) };
}

/** Answers a request for a program in a sandbox with what the program answers. */
export async function answerFromPort(api: Api, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const route = wantedOf(request, api);
  const ticket = route.prefix === '' ? ticketOfUrl(api, route.path, route) : null;
  if (ticket) return void keepTicket(api, reply, ticket);
  if (!mayReach(api, request.headers, route)) {
    throw new CodedError('UNAUTHORIZED', 'expected an API key or a ticket for this port; found neither', {
      hint: 'Open the link that POST /tickets/:id gives for the port.',
    });
  }
  const signal = api.streams.signalOf(reply);
  const sandbox = await liveSandbox(api, route.id, signal);
  const tunnel = await sandbox.openPort(route.port, { signal });
  tunnel.on('error', () => {});
  const ownOrigin = route.prefix === '' ? originOf(request, api) : '';
  const forwarded: Forwarded = { api, route, tunnel, ownOrigin };
  const stop = () => void tunnel.destroy();
  signal.addEventListener('abort', stop, { once: true });
  const body = request.body instanceof Readable ? request.body : null;
  // As long as the program takes, and for streams that are silent for long.
  request.raw.socket.setTimeout(0);
  const answer = await askProgram(forwarded, request.raw, route.path, body);
  reply.hijack();
  sendAnswer(forwarded, answer, reply.raw);
}

function originOf(request: FastifyRequest, { config }: Api): string {
  return `${new URL(baseUrl(request, config)).protocol}//${request.headers.host}`;
}

/** The ticket moves from the address, where it would be handed on and written down, into a cookie of this host alone. */
function keepTicket(
  { config }: Api,
  reply: FastifyReply,
  { ticket, rest }: { ticket: string; rest: string },
): FastifyReply {
  const secure = config.PUBLIC_URL?.startsWith('https:') ? '; Secure' : '';
  return reply
    .code(303)
    .header('set-cookie', `${TICKET_COOKIE}=${ticket}; Path=/; HttpOnly; SameSite=Lax${secure}`)
    .header('cache-control', 'no-store')
    .header('location', rest)
    .send();
}
