import { randomBytes } from 'node:crypto';
import {
  type FastifyHttpOptions,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RawServerDefault,
} from 'fastify';
import type { BuildApiOptions, Deadlines } from './options.ts';
import { portOfHost } from './ports/port-host.ts';
import { onClientError } from './raw-errors.ts';

const REQUEST_ID = /^[\w.:-]{1,64}$/;
const MAX_PARAM_LENGTH = 8_192;

/** How the server is set up below the routes: sizes, deadlines, ids, logs. */
export function serverOptions(
  { config, log }: Pick<BuildApiOptions, 'config' | 'log'>,
  deadlines: Deadlines,
  onError: (error: unknown, request: FastifyRequest, reply: FastifyReply) => void,
): FastifyHttpOptions<RawServerDefault> {
  // Unique among processes by the prefix, within one by the count: drawing random bytes for each costs more.
  const prefix = randomBytes(6).toString('hex');
  let count = 0;
  return {
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.MAX_BODY_MB * 2 ** 20,
    connectionTimeout: deadlines.idle,
    keepAliveTimeout: Math.min(72_000, deadlines.idle),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: onClientError,
    // What the router cannot read never comes to a hook or the error handler.
    frameworkErrors: onError,
    requestIdHeader: false,
    genReqId: ({ headers }) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : `${prefix}-${++count}`;
    },
    rewriteUrl: ({ url = '/', headers }) => {
      const path = pathOf(url);
      const port = portOfHost({ headers }, config);
      // Nothing of the API can be reached by the host name of a program's port.
      return port ? `/ports/${port.id}/${port.port}${path.startsWith('/') ? '' : '/'}${path}` : path;
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    http: {
      // Refused by a check of ours, with words.
      requireHostHeader: false,
      headersTimeout: deadlines.headers,
      // Streams of files may take long; bodies that are held in memory have a deadline of their own.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(5_000, deadlines.headers),
      joinDuplicateHeaders: false,
      // Other protocols that a client offers (HTTP/2 without TLS, say) are declined by answering as usual.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
  };
}

function pathOf(url: string): string {
  if (url === '*') return '/';
  // Absolute form, as it is sent to proxies: the origin is in Host as well.
  return /^https?:\/\/[^/?]*(\/.*)?$/i.exec(url)?.[1] ?? (/^https?:/i.test(url) ? '/' : url);
}
