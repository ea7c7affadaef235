import { hopHeaders } from '../../protocol/hop-headers.ts';

export type HeaderPair = [name: string, value: string];

/** The headers of a message as they came, in order, less those that are not for the next one. */
export function endToEnd(rawHeaders: readonly string[]): HeaderPair[] {
  const pairs: HeaderPair[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    pairs.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '']);
  const connection = pairs.filter(([name]) => name.toLowerCase() === 'connection');
  const dropped = hopHeaders(connection.map(([, value]) => value));
  return pairs.filter(([name]) => !dropped.has(name.toLowerCase()));
}
