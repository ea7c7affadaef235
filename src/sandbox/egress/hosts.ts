import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

export interface Target {
  /** A name in lower-case ASCII without its trailing dot, or an address without brackets. */
  host: string;
  port: number;
}

const AUTHORITY = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@\\%[\]]+)):(\d{1,5})$/i;
const MAX_NAME = 253;

/**
 * What a client asks to be connected to. Names and the odd ways to write an IPv4 address come out in their one
 * standard form, so that a policy cannot be slipped past by spelling.
 * @returns null for what is not `host:port`.
 */
export function parseTarget(authority: string): Target | null {
  const match = AUTHORITY.exec(authority);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65_535) return null;
  const [, address, name] = match;
  if (address !== undefined) {
    if (isIP(address) !== 6) return null;
    return { host: new URL(`http://[${address}]`).hostname.slice(1, -1), port };
  }
  const url = `http://${name}`;
  if (!URL.canParse(url)) return null;
  const host = new URL(url).hostname.replace(/\.$/, '');
  return host === '' || host.length > MAX_NAME ? null : { host, port };
}

/**
 * The first pattern that a target matches: `example.com` is that host alone, `*.example.org` whatever is below it
 * and not itself; with a `:port` that port alone.
 */
export function matchingPattern(patterns: readonly string[], { host, port }: Target): string | null {
  return (
    patterns.find((pattern) => {
      const [name = '', only] = pattern.split(':');
      if (only !== undefined && Number(only) !== port) return false;
      const below = name.startsWith('*.');
      const wanted = domainToASCII((below ? name.slice(2) : name).replace(/\.$/, ''));
      if (wanted === '') return false;
      return below ? isIP(host) === 0 && host.endsWith(`.${wanted}`) : host === wanted;
    }) ?? null
  );
}
