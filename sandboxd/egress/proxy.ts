import { createServer, type Server } from 'node:http';
import { connectThrough } from './connect.ts';
import { forward, refuse } from './forward.ts';
import type { EgressLink } from './link.ts';
import { CUT } from './refusal.ts';

/** The HTTP proxy over this way out. It listens nowhere: it is given its connections as events. */
export function makeProxy(link: EgressLink): Server {
  const proxy = createServer({ requestTimeout: 0 }, (request, response) => {
    void forward(request, response, link).catch(() => refuse(response, CUT));
  });
  proxy.on('connect', (request, socket, head) => {
    void connectThrough(request, socket, head, link).catch(() => socket.destroy());
  });
  proxy.on('clientError', (_error, socket) => socket.destroy());
  return proxy;
}
