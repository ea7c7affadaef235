import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Which of the keys a request carries. Keys are compared as hashes in constant time, all of them each time. */
export class Keys {
  readonly #hashes: Buffer[];

  constructor(keys: readonly string[]) {
    this.#hashes = keys.map(hash);
  }

  /** Whether any key is asked for. */
  get required(): boolean {
    return this.#hashes.length > 0;
  }

  /** The place of the key among those configured, or -1 where the request carries none of them. */
  indexOf(headers: IncomingHttpHeaders): number {
    const given = presentedKey(headers);
    if (given === null) return -1;
    const presented = hash(given);
    let found = -1;
    for (const [index, known] of this.#hashes.entries()) {
      if (timingSafeEqual(known, presented)) found = index;
    }
    return found;
  }
}

const hash = (key: string) => createHash('sha256').update(key).digest();

/** The key of `Authorization: Bearer KEY` or `X-API-Key: KEY`. */
function presentedKey(headers: IncomingHttpHeaders): string | null {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer) return bearer;
  const header = headers['x-api-key'];
  return typeof header === 'string' ? header.trim() : null;
}
