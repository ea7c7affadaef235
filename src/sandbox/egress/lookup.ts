import { lookup as systemLookup } from 'node:dns/promises';

export interface ResolvedAddress {
  address: string;
  family: number;
}

/** Every address of a name, in the order to try them. Rejects where there is none. */
export type Lookup = (host: string) => Promise<ResolvedAddress[]>;

/** Resolves as every program of this machine does: its hosts file and its name servers. */
export const resolveHost: Lookup = (host) => systemLookup(host, { all: true });

/**
 * The same lookup, at most `most` at a time and each for at most `limitMs`: the system's resolver takes threads that
 * the whole server shares, so one sandbox that asks for slow names must not hold them all.
 */
export function limitLookups(lookup: Lookup, most = 2, limitMs = 15_000): Lookup {
  let free = most;
  const waiting: (() => void)[] = [];

  function release(): void {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  }

  return async (host) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
    });
    const found = lookup(host);
    found.then(release, release);
    try {
      return await Promise.race([found, late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
