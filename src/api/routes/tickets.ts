import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Port } from '../../protocol/ports.ts';
import { baseUrl } from '../base-url.ts';
import { EXAMPLE_ID } from '../examples.ts';
import { LIVE_ERRORS, liveSandbox } from '../live/live-sandbox.ts';
import { sealTicket, Ticket } from '../live/tickets.ts';
import type { Api, App } from '../options.ts';
import { urlOfPort } from '../ports/port-host.ts';
import { JobParams, NoQuery } from '../schemas.ts';

const DEFAULT_TTL_S = 3_600;

const TicketRequest = z
  .strictObject({
    scope: Ticket.shape.scope.describe('What it opens: one thing of one job.'),
    port: Port.optional().describe('Of scope "port", and of no other.'),
    control: z.boolean().optional().describe('Of scope "desktop": whether it lets its holder take control.'),
    ttl_s: z
      .int()
      .min(10)
      .max(86_400)
      .optional()
      .describe(`Seconds that it counts; default ${DEFAULT_TTL_S}.`),
  })
  .refine((ticket) => (ticket.scope === 'port') === (ticket.port !== undefined), {
    error: 'expected "port" exactly when scope is "port"',
  })
  .refine((ticket) => ticket.control === undefined || ticket.scope === 'desktop', {
    error: 'expected "control" only when scope is "desktop"',
  })
  .meta({ id: 'TicketRequest' });

const TicketResponse = z
  .object({
    ticket: z.string().describe('Whoever has it may use what it opens: keep it like a password.'),
    link: z.string().describe('What to open in a browser.'),
    expires: z.iso.datetime(),
  })
  .meta({ id: 'TicketResponse' });

export function ticketsRoute(app: App, api: Api): void {
  app.post(
    '/tickets/:id',
    {
      schema: {
        params: JobParams,
        querystring: NoQuery,
        body: TicketRequest,
        response: { 201: TicketResponse },
      },
      config: {
        docs: {
          id: 'makeTicket',
          tag: 'While it runs',
          summary: 'A link that opens one thing of a live sandbox',
          description:
            'For browsers, which cannot send a key with an address or a WebSocket: the desktop, the terminals or one port of this job, for a while.',
          answer: 'The ticket, and the link that carries it.',
          example: {
            ticket: 'eyJpZCI6….Xk3…',
            link: `http://5173-${EXAMPLE_ID}.localhost:8000/?ticket=eyJpZCI6….Xk3…`,
            expires: '2026-11-23T13:00:00.000Z',
          },
          bodies: {
            'application/json': { schema: TicketRequest, example: { scope: 'port', port: 5173 } },
          },
          errors: [...LIVE_ERRORS, 'INVALID_REQUEST', 'MALFORMED_JSON'],
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await liveSandbox(api, id);
      const { scope, port, control, ttl_s = DEFAULT_TTL_S } = request.body;
      const expires = Date.now() + ttl_s * 1_000;
      const ticket = sealTicket(api.store, {
        id,
        scope,
        ...(port !== undefined && { port }),
        ...(control !== undefined && { control }),
        expires,
      });
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({
          ticket,
          link: linkOf(request, api, { id, port, scope, ticket }),
          expires: new Date(expires).toISOString(),
        });
    },
  );
}

interface LinkParts {
  id: string;
  scope: Ticket['scope'];
  port: number | undefined;
  ticket: string;
}

/** Of our own pages in the fragment, which browsers send to nobody; a port's server has to be sent it, once. */
function linkOf(request: FastifyRequest, { config }: Api, { id, scope, port, ticket }: LinkParts): string {
  if (port !== undefined) return `${urlOfPort(request, config, { id, port })}?ticket=${ticket}`;
  return `${baseUrl(request, config)}/${scope}/${id}#ticket=${ticket}`;
}
