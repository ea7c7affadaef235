import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { CodedError } from '../protocol/errors.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
const LOOPBACK_HOST = /^(?:localhost|[a-z0-9-]+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

/**
 * Without keys the server trusts whoever reaches loopback, and a browser on the same machine lets any page do that.
 * So the Host must be a loopback name (else another site's DNS name was pointed here), and what changes state must
 * not come from another site's page.
 * @throws CodedError FORBIDDEN
 */
export function checkBrowser(
  { headers, method }: Pick<FastifyRequest, 'headers' | 'method'>,
  config: Pick<Config, 'PUBLIC_URL'>,
): void {
  const publicUrl = config.PUBLIC_URL ? new URL(config.PUBLIC_URL) : null;
  const host = headers.host ?? '';
  const name = host.replace(/:\d+$/, '');
  if (host !== '' && !LOOPBACK_HOST.test(name) && name.toLowerCase() !== publicUrl?.hostname) {
    throw new CodedError('FORBIDDEN', `expected a Host of loopback, such as localhost; found "${name}"`, {
      hint: 'Use http://127.0.0.1:PORT, or set PUBLIC_URL to the name that the server is reached by, or set API_KEYS.',
    });
  }
  if (READS.has(method)) return;
  const site = headers['sec-fetch-site'];
  if (site === 'cross-site' || site === 'same-site' || !isOwnOrigin(headers.origin, host, publicUrl)) {
    throw new CodedError(
      'FORBIDDEN',
      "expected a request of the server's own pages; found one of another site",
      {
        hint: 'Call the API from a program instead, or set API_KEYS and send one.',
      },
    );
  }
}

function isOwnOrigin(origin: string | undefined, host: string, publicUrl: URL | null): boolean {
  if (origin === undefined) return true;
  return origin === `http://${host}` || origin === `https://${host}` || origin === publicUrl?.origin;
}
