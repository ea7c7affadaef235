import { createServer, type Server } from 'node:net';
import type { Settings } from '../settings.ts';
import { EgressLink } from './link.ts';

export interface Egress {
  /** Takes the worker's connections; not listening yet. */
  server: Server;
  /** Where the proxy listens, on loopback. */
  port: number;
}

/** Starts the proxy that programs in the sandbox use as their way out. */
export async function serveEgress({ proxyPort }: Settings): Promise<Egress> {
  const link = new EgressLink();
  // Not loaded before somebody wants out: Node's HTTP/1 cannot be in the snapshot, and takes its time.
  let http: Promise<Server> | null = null;
  const proxy = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    http ??= import('./proxy.ts').then(({ makeProxy }) => makeProxy(link));
    void http.then((server) => server.emit('connection', socket));
  });
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
