import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CodedError } from '../protocol/errors.ts';
import { checkRequest } from './check-request.ts';
import { serveDesktop } from './desktop/serve-desktop.ts';
import { toCodedError } from './error-handler.ts';
import { checkAccess, checkOrigin } from './live/access.ts';
import type { Api } from './options.ts';
import { portOfHost, portOfPath } from './ports/port-host.ts';
import { upgradeToPort } from './ports/upgrade.ts';
import { refuse } from './raw-errors.ts';
import { serveTerminal } from './terminal/serve-terminal.ts';

/** Answers requests that ask for a WebSocket: Node hands them over beside the routes and their checks. */
export function serveUpgrades(server: Server, api: Api): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    // An idle one is not a dead one.
    (socket as Socket).setTimeout(0);
    upgrade(api, request, socket, head).catch((error: unknown) => {
      const coded = toCodedError(error, api.config.MAX_BODY_MB);
      if (coded.status >= 500) api.log.warn({ err: error, code: coded.code }, 'a WebSocket was refused');
      refuse(socket, coded);
    });
  });
}

async function upgrade(api: Api, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  checkRequest({ raw: request });
  const { url = '/' } = request;
  const ofHost = portOfHost(request, api.config);
  if (ofHost) return upgradeToPort(api, { ...ofHost, prefix: '' }, request, socket, head);
  const [, what, id = ''] = LIVE_PATH.exec(url) ?? [];
  if (what === 'terminal' || what === 'desktop') {
    checkAccess(api, request, { id, scope: what });
    return (what === 'terminal' ? serveTerminal : serveDesktop)(api, id, request, socket, head);
  }
  const ofPath = portOfPath(url);
  if (ofPath) {
    if (!api.keys.required) checkOrigin(api, request);
    return upgradeToPort(api, ofPath, request, socket, head);
  }
  throw new CodedError('NOT_FOUND', `there is no WebSocket at ${url.split('?', 1)[0]?.slice(0, 200)}`);
}

const LIVE_PATH = /^\/(terminal|desktop)\/([^/?]+)\/?(?:\?|$)/;
