import type { IncomingMessage } from 'node:http';
import { CodedError } from '../protocol/errors.ts';
import { HOST_HEADER } from './base-url.ts';

const MAX_URL = 8_192;
const MAX_HEADERS = 200;

/**
 * What can be said of a request before its route, key or body matter.
 * @throws CodedError HEADERS_TOO_LARGE, URI_TOO_LONG or MALFORMED_REQUEST.
 */
export function checkRequest({ raw }: { raw: IncomingMessage }): void {
  const url = raw.url ?? '';
  if (raw.rawHeaders.length > 2 * MAX_HEADERS) {
    throw new CodedError(
      'HEADERS_TOO_LARGE',
      `expected at most ${MAX_HEADERS} headers; found ${raw.rawHeaders.length / 2}`,
    );
  }
  if (url.length > MAX_URL) {
    throw new CodedError(
      'URI_TOO_LONG',
      `expected an address of at most ${MAX_URL} bytes; found ${url.length}`,
    );
  }
  const { host } = raw.headers;
  if (host === undefined ? raw.httpVersion === '1.1' : !HOST_HEADER.test(host)) {
    throw new CodedError('MALFORMED_REQUEST', 'expected a Host header with a host name and perhaps a port');
  }
  if (url.includes('%') && !isDecodable(url)) {
    throw new CodedError(
      'MALFORMED_REQUEST',
      'expected percent-encoded UTF-8 in the address; found a broken sequence',
      { hint: 'Encode a "%" itself as %25, and other characters as the bytes of their UTF-8.' },
    );
  }
  // A chunked body beside a length is how requests are smuggled past a proxy.
  if (raw.headers['transfer-encoding'] !== undefined && raw.headers['content-length'] !== undefined) {
    throw new CodedError('MALFORMED_REQUEST', 'expected Content-Length or Transfer-Encoding; found both');
  }
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
