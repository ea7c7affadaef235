import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ListeningPort } from '../../protocol/ports.ts';
import { baseUrl } from '../base-url.ts';
import { EXAMPLE_ID } from '../examples.ts';
import { LIVE_ERRORS, liveSandbox } from '../live/live-sandbox.ts';
import type { RouteDocs } from '../openapi/route-docs.ts';
import type { Api, App } from '../options.ts';
import { urlOfPort } from '../ports/port-host.ts';
import { answerFromPort } from '../ports/port-request.ts';
import { JobParams, NoQuery } from '../schemas.ts';

const PortsResponse = z
  .object({
    job_id: z.string(),
    ports: z.array(
      ListeningPort.extend({
        url: z.string().describe('Its address for a browser, with a host name and so an origin of its own.'),
        path: z.string().describe('Its address for a program: below the API, with an API key.'),
      }),
    ),
  })
  .meta({ id: 'PortsResponse' });

export function portsRoute(app: App, api: Api): void {
  app.get(
    '/ports/:id',
    {
      schema: { params: JobParams, querystring: NoQuery, response: { 200: PortsResponse } },
      config: {
        docs: {
          id: 'listPorts',
          tag: 'While it runs',
          summary: 'The ports that programs in the sandbox listen on',
          description:
            'A development server, say. Each is reached, HTTP and WebSocket, at `url`: where API keys are asked for, with the link that `POST /tickets/{id}` gives.',
          answer: 'The open TCP ports, in order.',
          example: {
            job_id: EXAMPLE_ID,
            ports: [
              {
                port: 5173,
                address: '127.0.0.1',
                pid: 812,
                command: 'node node_modules/.bin/vite',
                url: `http://5173-${EXAMPLE_ID}.localhost:8000/`,
                path: `http://localhost:8000/ports/${EXAMPLE_ID}/5173/`,
              },
            ],
          },
          errors: [...LIVE_ERRORS],
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const sandbox = await liveSandbox(api, id);
      const ports = await sandbox.ports({ signal: api.streams.signalOf(reply) });
      return {
        job_id: id,
        ports: ports.map((port) => ({ ...port, ...addresses(request, api, id, port.port) })),
      };
    },
  );
}

function addresses(request: FastifyRequest, { config }: Api, id: string, port: number) {
  return {
    url: urlOfPort(request, config, { id, port }),
    path: `${baseUrl(request, config)}/ports/${id}/${port}/`,
  };
}

const PortParams = JobParams.extend({
  '*': z.string().describe('The port, and behind it the path that the program is asked for.'),
});

const DOCS: RouteDocs = {
  id: 'reachPort',
  tag: 'While it runs',
  summary: 'Reach a program that listens in the sandbox',
  description:
    'Any method, and WebSockets: handed to the program on that port of localhost, its answer handed back. Keys and tickets are not handed on. Pages that are shown from here run sandboxed, without cookies; a browser uses the address of its own that `GET /ports/{id}` gives.',
  answers: { 200: { description: 'What the program answers, whatever its status.', type: '*/*' } },
  errors: [...LIVE_ERRORS, 'NOT_FOUND', 'PORT_NOT_OPEN'],
};

/** Requests for programs in sandboxes: below /ports, where those of their own host names are sent to as well. */
export function reachPortRoute(app: App, api: Api): void {
  const handler = (request: FastifyRequest, reply: FastifyReply) => answerFromPort(api, request, reply);
  // Open: whether it may be reached is for the port to say, since a browser has a ticket and no key.
  const schema = { params: PortParams };
  app.get('/ports/:id/*', { schema, config: { open: true, docs: DOCS }, handler });
  app.route({
    method: ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: '/ports/:id/*',
    schema,
    config: { open: true, streamed: true },
    handler,
  });
}
