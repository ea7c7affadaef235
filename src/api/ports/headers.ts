import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { PortAddress } from '../../protocol/ports.ts';
import type { Api } from '../options.ts';
import { TICKET_COOKIE, withoutTicket } from './access.ts';
import { endToEnd, type HeaderPair } from './end-to-end.ts';

/** A request's way to a port: by the port's own host, or below /ports on the API's. */
export interface PortRoute extends PortAddress {
  /** What of the path is ours; empty on the port's own host. */
  prefix: string;
}

/** Headers of ours, or that a proxy before us sets: the program gets them from us alone. */
const REPLACED = new Set([
  'host',
  'expect',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-prefix',
]);

/**
 * What a program is sent of a request's headers: never an API key or a ticket. It is addressed as localhost, which is
 * what development servers accept, and told by X-Forwarded-* how it was reached.
 */
export function headersForProgram(api: Api, request: IncomingMessage, route: PortRoute): string[] {
  const { host = '' } = request.headers;
  const local = `localhost:${route.port}`;
  const proto = forwardedProto(api);
  const pairs: HeaderPair[] = [['Host', local]];
  for (const [name, value] of endToEnd(request.rawHeaders)) {
    const lower = name.toLowerCase();
    if (REPLACED.has(lower) || isApiKey(api, lower, value)) continue;
    if (lower === 'cookie') {
      const rest = withoutTicket(value);
      if (rest !== null) pairs.push([name, rest]);
    } else if (lower === 'origin' && isOwnOrigin(value, host)) pairs.push([name, `http://${local}`]);
    else pairs.push([name, value]);
  }
  pairs.push(['X-Forwarded-Host', host], ['X-Forwarded-Proto', proto]);
  if (route.prefix !== '') pairs.push(['X-Forwarded-Prefix', route.prefix]);
  return pairs.flat();
}

const forwardedProto = ({ config }: Api): string =>
  config.PUBLIC_URL?.startsWith('https:') === true ? 'https' : 'http';

function isApiKey({ keys }: Api, name: string, value: string): boolean {
  if (name !== 'authorization' && name !== 'x-api-key') return false;
  const headers: IncomingHttpHeaders = { [name]: value };
  return keys.required && keys.indexOf(headers) !== -1;
}

const isOwnOrigin = (origin: string, host: string): boolean =>
  origin === `http://${host}` || origin === `https://${host}`;

/** Would reach beyond the program's own host: its parent's cookies and storage, how browsers reach it from now on. */
const NEVER_SENT = new Set(['clear-site-data', 'strict-transport-security', 'alt-svc', 'public-key-pins']);

/**
 * What a client is sent of a program's headers. Cookies stay on the program's own host; below /ports there are none,
 * and what is shown runs without the API's origin: sandboxed, as if from nowhere.
 */
export function headersForClient(
  { rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>,
  route: PortRoute,
  ownOrigin: string,
): string[] {
  const onOwnHost = route.prefix === '';
  const pairs: HeaderPair[] = [];
  for (const [name, value] of endToEnd(rawHeaders)) {
    const lower = name.toLowerCase();
    if (NEVER_SENT.has(lower) || (!onOwnHost && FOR_ORIGIN.has(lower))) continue;
    if (lower === 'set-cookie') {
      if (onOwnHost && !value.trimStart().startsWith(`${TICKET_COOKIE}=`))
        pairs.push([name, hostOnly(value)]);
    } else if (lower === 'location') pairs.push([name, relocate(value, route, ownOrigin)]);
    else pairs.push([name, value]);
  }
  if (!onOwnHost) {
    pairs.push(['Content-Security-Policy', 'sandbox allow-scripts allow-forms allow-popups allow-downloads']);
    pairs.push(['X-Content-Type-Options', 'nosniff'], ['Cache-Control', 'no-store']);
  }
  return pairs.flat();
}

/** What would have a meaning for the whole origin of the API. */
const FOR_ORIGIN = new Set([
  'set-cookie',
  'service-worker-allowed',
  'cache-control',
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'x-content-type-options',
]);

const hostOnly = (cookie: string): string => cookie.replace(/;\s*domain=[^;]*/gi, '');

/** A redirect of the program to itself, which knows itself as localhost. */
function relocate(location: string, { port, prefix }: PortRoute, ownOrigin: string): string {
  const local = new RegExp(`^https?://(localhost|127\\.0\\.0\\.1|\\[::1\\]):${port}(?=[/?#]|$)`, 'i');
  if (local.test(location)) return location.replace(local, ownOrigin + prefix);
  return prefix !== '' && /^\/(?!\/)/.test(location) ? prefix + location : location;
}
