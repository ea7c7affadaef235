/** Headers that are between two neighbours (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * Names in lower case of the headers of a message that are not for the next one.
 * @param connection - the values of its `Connection` headers, which name further ones.
 */
export function hopHeaders(connection: readonly string[]): Set<string> {
  const named = connection.flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase()));
  return new Set([...HOP_BY_HOP, ...named]);
}
