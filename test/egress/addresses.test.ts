import { networkInterfaces } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRanges, whyRefused } from '../../src/sandbox/egress/addresses.ts';

const REFUSED: [string, string][] = [
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['10.0.0.1', 'private'],
  ['10.255.255.255', 'private'],
  ['100.64.0.1', 'carrier-grade NAT'],
  ['100.127.255.255', 'carrier-grade NAT'],
  ['100.100.100.200', 'metadata'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['168.63.129.16', 'metadata'],
  ['169.254.0.1', 'link-local'],
  ['169.254.169.254', 'metadata'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.0.0.1', 'reserved'],
  ['192.0.0.192', 'metadata'],
  ['192.168.1.1', 'private'],
  ['198.18.0.1', 'reserved'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::2', 'unspecified'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['fec0::1', 'site-local'],
  ['fc00::1', 'unique-local'],
  ['fdff::1', 'unique-local'],
  ['fd00:ec2::254', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['ff02::1', 'multicast'],
  ['100::1', 'discard'],
  ['2001::1', 'teredo'],
  ['4000::1', 'reserved'],
  ['64:ff9b:1::10.0.0.1', 'rfc6052'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:10.1.2.3', 'private'],
  ['::ffff:169.254.169.254', 'metadata'],
  ['::ffff:7f00:1', 'loopback'],
  ['::ffff:0:127.0.0.1', 'loopback'],
  ['::127.0.0.1', 'loopback'],
  ['::192.168.0.1', 'private'],
  ['64:ff9b::127.0.0.1', 'loopback'],
  ['64:ff9b::a9fe:a9fe', 'metadata'],
  ['2002:7f00:1::', 'loopback'],
  ['2002:a00:1::1', 'private'],
  ['not an address', 'no address'],
];

const ALLOWED = [
  '1.1.1.1',
  '8.8.8.8',
  '100.63.255.255',
  '100.128.0.1',
  '172.15.255.255',
  '172.32.0.1',
  '192.0.2.1',
  '198.51.100.7',
  '203.0.113.80',
  '223.255.255.254',
  '2001:db8::1',
  '3fff::1',
  '2606:4700::1111',
  '2a00:1450::1',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
  '2002:808:808::1',
];

describe('addresses that a sandbox may connect to', () => {
  it.each(REFUSED)('refuses %s as %s', (address, kind) => {
    expect(whyRefused(address, [])).toBe(kind);
  });

  it.each(ALLOWED)('allows %s', (address) => {
    expect(whyRefused(address, [])).toBeNull();
  });

  it("refuses the machine's own addresses", () => {
    const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    expect(own.length).toBeGreaterThan(0);
    for (const { address } of own) expect(whyRefused(address, []), address).not.toBeNull();
  });

  it('allows what the operator opens, and nothing beside it', () => {
    const allowed = parseRanges(['10.1.0.0/16', 'fd12::/16', '127.0.0.1']);
    expect(whyRefused('10.1.2.3', allowed)).toBeNull();
    expect(whyRefused('::ffff:10.1.2.3', allowed)).toBeNull();
    expect(whyRefused('fd12::7', allowed)).toBeNull();
    expect(whyRefused('127.0.0.1', allowed)).toBeNull();
    expect(whyRefused('127.0.0.2', allowed)).toBe('loopback');
    expect(whyRefused('10.2.0.1', allowed)).toBe('private');
    expect(whyRefused('fd13::7', allowed)).toBe('unique-local');
  });

  it.each(['10.0.0.0/33', 'example.com', '10.0.0.0/', '::/129', ''])(
    'does not take %j for a range',
    (text) => {
      expect(() => parseRanges([text])).toThrow(/EGRESS_PRIVATE_ALLOW: expected ranges/);
    },
  );

  it('judges an address embedded in IPv6 as it judges the address itself', () => {
    const v4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
    fc.assert(
      fc.property(v4, ([a, b, c, d]) => {
        fc.pre(a !== 0);
        const plain = `${a}.${b}.${c}.${d}`;
        const hex = [a, b, c, d].map((byte) => byte.toString(16).padStart(2, '0')).join('');
        const expected = whyRefused(plain, []);
        for (const text of [
          `::ffff:${plain}`,
          `::ffff:0:${plain}`,
          `::${plain}`,
          `64:ff9b::${plain}`,
          `2002:${hex.slice(0, 4)}:${hex.slice(4)}::9`,
        ]) {
          expect(whyRefused(text, []), text).toBe(expected);
        }
      }),
    );
  });
});
