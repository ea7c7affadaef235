import { createServer as createProxy } from 'node:http';
import { createServer, type Server } from 'node:net';
import type { Settings } from '../settings.ts';
import { connectThrough } from './connect.ts';
import { forward, refuse } from './forward.ts';
import { EgressLink } from './link.ts';
import { CUT } from './refusal.ts';

export interface Egress {
  /** Takes the worker's connections; not listening yet. */
  server: Server;
  /** Where the proxy listens, on loopback. */
  port: number;
}

/** Starts the proxy that programs in the sandbox use as their way out. */
export async function serveEgress({ proxyPort }: Settings): Promise<Egress> {
  const link = new EgressLink();
  const proxy = createProxy({ requestTimeout: 0 }, (request, response) => {
    void forward(request, response, link).catch(() => refuse(response, CUT));
  });
  proxy.on('connect', (request, socket, head) => {
    void connectThrough(request, socket, head, link).catch(() => socket.destroy());
  });
  proxy.on('clientError', (_error, socket) => socket.destroy());
  const { promise, resolve } = Promise.withResolvers<void>();
  // Without the proxy there is no way out, but all else works.
  proxy.once('error', (error) => {
    process.stderr.write(`sandboxd: the egress proxy cannot listen: ${error.message}\n`);
    resolve();
  });
  proxy.listen(proxyPort, '127.0.0.1', resolve);
  await promise;
  const address = proxy.address();
  const port = typeof address === 'object' && address ? address.port : proxyPort;
  return { server: createServer((socket) => link.add(socket)), port };
}
