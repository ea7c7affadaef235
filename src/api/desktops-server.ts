import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Connections } from './connections.ts';
import type { App } from './options.ts';

/** What a server is told beside requests, and the API's own has handlers for. */
const EVENTS = ['upgrade', 'connect', 'clientError', 'checkExpectation'] as const;

/** The same API behind another port, whose first page is the list of live desktops. Not listening yet. */
export function desktopsServer(app: App): { server: Server; close(): Promise<void> } {
  const { headersTimeout, requestTimeout, timeout, keepAliveTimeout } = app.server;
  const settings = { headersTimeout, requestTimeout, keepAliveTimeout, requireHostHeader: false };
  const shouldUpgradeCallback = ({ headers }: IncomingMessage) =>
    headers.upgrade?.toLowerCase() === 'websocket';
  const server = createServer({ ...settings, shouldUpgradeCallback }, (request, response: ServerResponse) => {
    // The path alone: a query belongs to what it asks for.
    if (request.url?.split('?', 1)[0] === '/') request.url = `/desktop${request.url.slice(1)}`;
    app.routing(request, response);
  });
  server.timeout = timeout;
  for (const event of EVENTS) server.on(event, (...given: unknown[]) => app.server.emit(event, ...given));
  const connections = new Connections(server);
  return {
    server,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      connections.close();
      await closed;
    },
  };
}
