import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchingPattern, parseTarget } from '../../src/sandbox/egress/hosts.ts';

describe('parseTarget', () => {
  it.each([
    ['example.com:443', 'example.com', 443],
    ['EXAMPLE.com.:80', 'example.com', 80],
    ['bücher.example:443', 'xn--bcher-kva.example', 443],
    ['[2001:DB8::1]:8443', '2001:db8::1', 8443],
    ['[::ffff:127.0.0.1]:80', '::ffff:7f00:1', 80],
    ['127.1:80', '127.0.0.1', 80],
    ['2130706433:80', '127.0.0.1', 80],
    ['0x7f.0.0.1:80', '127.0.0.1', 80],
    ['under_score.example:65535', 'under_score.example', 65535],
  ])('reads %s', (authority, host, port) => {
    expect(parseTarget(authority)).toEqual({ host, port });
  });

  it.each([
    '',
    'example.com',
    ':80',
    'example.com:0',
    'example.com:65536',
    'example.com:80:80',
    'user@example.com:80',
    'example.com/path:80',
    'exa mple.com:80',
    'example.com:80 ',
    '::1:80',
    '[::1]',
    '[fe80::1%25eth0]:80',
    '[1.2.3.4]:80',
    '1.2.3.256:80',
    '.:80',
    `${'a'.repeat(254)}:80`,
    'exam%70le.com:80',
  ])('does not take %j', (authority) => {
    expect(parseTarget(authority)).toBeNull();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseTarget(text)));
  });
});

describe('matchingPattern', () => {
  const match = (pattern: string, authority: string) => {
    const target = parseTarget(authority);
    if (!target) throw new Error(`no target: ${authority}`);
    return matchingPattern([pattern], target) !== null;
  };

  it.each([
    ['example.com', 'example.com:443'],
    ['Example.COM', 'example.com.:80'],
    ['*.example.org', 'a.example.org:443'],
    ['*.example.org', 'a.b.example.org:443'],
    ['example.com:8443', 'example.com:8443'],
    ['*.example.com:8443', 'x.example.com:8443'],
    ['xn--bcher-kva.example', 'bücher.example:443'],
    ['192.0.2.1', '192.0.2.1:80'],
    ['192.0.2.1', '3221225985:80'],
  ])('%s takes %s', (pattern, authority) => {
    expect(match(pattern, authority)).toBe(true);
  });

  it.each([
    ['example.com', 'a.example.com:443'],
    ['example.com', 'example.com.evil.test:443'],
    ['example.com', 'badexample.com:443'],
    ['*.example.org', 'example.org:443'],
    ['*.example.org', 'badexample.org:443'],
    ['*.example.org', 'example.org.evil.test:443'],
    ['example.com:8443', 'example.com:443'],
    ['*.0.2.1', '192.0.2.1:80'],
  ])('%s does not take %s', (pattern, authority) => {
    expect(match(pattern, authority)).toBe(false);
  });

  it('a wildcard takes exactly the names below it', () => {
    const label = fc.stringMatching(/^[a-z]([a-z0-9]{0,5}[a-z0-9])?$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), label, (labels, other) => {
        const name = labels.join('.');
        expect(match(`*.${name}`, `${other}.${name}:1`)).toBe(true);
        expect(match(`*.${name}`, `${name}:1`)).toBe(false);
        expect(match(`*.${name}`, `${other}${name}:1`)).toBe(false);
      }),
    );
  });
});
