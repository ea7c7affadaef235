import { isIP } from 'node:net';
import { wordsOf } from '../../protocol/words-of.ts';
import { type AddressRange, whyRefused } from './addresses.ts';
import { matchingPattern, type Target } from './hosts.ts';
import type { Lookup, ResolvedAddress } from './lookup.ts';

/** Where a sandbox may connect to: a job's `network`, with every choice made. */
export interface EgressPolicy {
  mode: 'none' | 'public' | 'allowlist';
  allow: readonly string[];
}

export type Verdict =
  /** Allowed, with what to connect to; `unresolved` says why there is nothing. */
  | { allowed: true; rule: string; addresses: ResolvedAddress[]; unresolved: string | null }
  | { allowed: false; rule: string; address: string | null };

/** What the policy says of a name before it is resolved: a name that is denied is never asked for. */
function byName(policy: EgressPolicy, target: Target): { allowed: boolean; rule: string } {
  if (policy.mode === 'public') return { allowed: true, rule: 'network.mode=public' };
  if (policy.mode === 'none') return { allowed: false, rule: 'network.mode=none' };
  const pattern = matchingPattern(policy.allow, target);
  return pattern === null
    ? { allowed: false, rule: `network.allow: no match for ${target.host}:${target.port}` }
    : { allowed: true, rule: `network.allow: ${pattern}` };
}

/**
 * Whether a sandbox may connect, and to which addresses. Those are what has been checked: whoever connects must use
 * them as they are, since a second resolution may answer otherwise.
 * @param privateAllow - ranges that may be reached although they are not public.
 */
export async function decide(
  policy: EgressPolicy,
  privateAllow: readonly AddressRange[],
  lookup: Lookup,
  target: Target,
): Promise<Verdict> {
  const { allowed, rule } = byName(policy, target);
  if (!allowed) return { allowed, rule, address: null };
  const unresolved = (why: string): Verdict => ({ allowed, rule, addresses: [], unresolved: why });
  const family = isIP(target.host);
  let found: ResolvedAddress[] = [{ address: target.host, family }];
  try {
    if (family === 0) found = await lookup(target.host);
  } catch (error) {
    return unresolved(wordsOf(error));
  }
  const checked = found.map((resolved) => ({ resolved, why: whyRefused(resolved.address, privateAllow) }));
  const addresses = checked.filter(({ why }) => why === null).map(({ resolved }) => resolved);
  if (addresses.length > 0) return { allowed, rule, addresses, unresolved: null };
  const first = checked[0];
  if (!first) return unresolved('the name has no address');
  const { address } = first.resolved;
  return { allowed: false, rule: `private-address ${address} (${first.why})`, address };
}
