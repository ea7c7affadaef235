import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { ConfigError } from '../../config.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type AddressRange = [Address, number];

/**
 * CIDR ranges, or single addresses, as they stand in EGRESS_PRIVATE_ALLOW.
 * @throws ConfigError naming the one that is wrong.
 */
export function parseRanges(texts: readonly string[]): AddressRange[] {
  return texts.map((text) => {
    const range = text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`;
    if (!ipaddr.isValidCIDR(range)) {
      throw new ConfigError(
        `EGRESS_PRIVATE_ALLOW: expected ranges such as 10.1.0.0/16, fd00::/8; found "${text}"`,
      );
    }
    return ipaddr.parseCIDR(range);
  });
}

const within = (address: Address, ranges: readonly AddressRange[]): boolean =>
  ranges.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits));

/** Ranges for examples: they belong to nobody, so nothing of the operator's is behind them. */
const DOCUMENTATION = parseRanges([
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '2001:db8::/32',
  '3fff::/20',
]);
/** What clouds hand out credentials from; some of them lie in ranges that are public otherwise. */
const METADATA = parseRanges([
  '169.254.169.254',
  '169.254.170.2',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd20:ce::254',
]);
/** The part of IPv6 that is given out for public use. */
const GLOBAL_UNICAST = parseRanges(['2000::/3']);

const KINDS: Record<string, string> = {
  linkLocal: 'link-local',
  uniqueLocal: 'unique-local',
  carrierGradeNat: 'carrier-grade NAT',
  deprecatedSiteLocal: 'site-local',
};

/** The IPv4 address that one of IPv6 stands for, by the ways there are to write, map or translate one. */
function embedded(address: ipaddr.IPv6): ipaddr.IPv4 | null {
  const bytes = address.toByteArray();
  const last = () => new ipaddr.IPv4(bytes.slice(12));
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  if (within(address, NAT64) || within(address, TRANSLATED)) return last();
  if (within(address, SIX_TO_FOUR)) return new ipaddr.IPv4(bytes.slice(2, 6));
  if (within(address, COMPATIBLE) && bytes.slice(12).some((byte, i) => byte > (i === 3 ? 1 : 0)))
    return last();
  return null;
}
const NAT64 = parseRanges(['64:ff9b::/96']);
const TRANSLATED = parseRanges(['::ffff:0:0:0/96']);
const SIX_TO_FOUR = parseRanges(['2002::/16']);
const COMPATIBLE = parseRanges(['::/96']);

/** The addresses of this machine: a service may listen on any of them without meaning to serve sandboxes. */
function isOwn(address: Address): boolean {
  return Object.values(networkInterfaces())
    .flat()
    .some((own) => own && ipaddr.parse(own.address).toNormalizedString() === address.toNormalizedString());
}

/**
 * Why a sandbox may not connect to an address, in a word or two for a person; null where it may. Only public
 * addresses may be reached: whatever is not known to be one is refused.
 * @param allowed - ranges that may be reached whatever they are.
 */
export function whyRefused(text: string, allowed: readonly AddressRange[]): string | null {
  if (!ipaddr.isValid(text)) return 'no address';
  const address = ipaddr.parse(text);
  if (within(address, allowed)) return null;
  if (within(address, METADATA)) return 'metadata';
  if (address instanceof ipaddr.IPv6) {
    const inner = embedded(address);
    if (inner) return whyRefused(inner.toString(), allowed);
  }
  const range = address.range();
  const isPublic =
    within(address, DOCUMENTATION) ||
    (range === 'unicast' && (address.kind() === 'ipv4' || within(address, GLOBAL_UNICAST)));
  if (!isPublic) return KINDS[range] ?? (range === 'unicast' ? 'reserved' : range);
  return isOwn(address) ? "the server's own" : null;
}
