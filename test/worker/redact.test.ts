import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../src/worker/redact.ts';

const SECRET = 'p@ss/wörd+1=';
const redactor = createRedactor({ TOKEN: SECRET, PIN: '1234' });
const shown = '[secret TOKEN]';

describe('text', () => {
  test('replaces a secret by its name, wherever it stands', () => {
    expect(redactor.text(`a ${SECRET} b ${SECRET}`)).toBe(`a ${shown} b ${shown}`);
    expect(redactor.text('pin 1234.')).toBe('pin [secret PIN].');
  });

  test('leaves other text as it is', () => {
    const text = 'nothing here: ünïcode \u0000 \ud800';
    expect(redactor.text(text)).toBe(text);
  });

  test.each([
    ['URL-encoded', encodeURIComponent(SECRET)],
    ['form-encoded', new URLSearchParams({ k: SECRET }).toString().slice(2)],
    ['JSON-escaped', JSON.stringify('a"b\\c\nd').slice(1, -1)],
    ['hex', Buffer.from(SECRET).toString('hex')],
  ])('finds it %s', (_, encoded) => {
    const both = createRedactor({ TOKEN: SECRET, QUOTED: 'a"b\\c\nd' });
    expect(both.text(`x=${encoded}&y`)).not.toContain(encoded);
  });

  test.each([0, 1, 2, 3, 4, 5])('finds it in base64 after %i other bytes', (before) => {
    const key = 'a-rather-long-api-key-000';
    const keyed = createRedactor({ KEY: key });
    for (const encoding of ['base64', 'base64url'] as const) {
      const encoded = Buffer.from(`${'u'.repeat(before)}${key}:tail`).toString(encoding);
      expect(keyed.text(encoded)).toContain('[secret KEY]');
    }
  });

  test('finds the lines of a secret of several lines', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END KEY-----';
    const keyed = createRedactor({ KEY: key });
    expect(keyed.text(key.replaceAll('\n', '\r\n'))).not.toContain('MIIEvQ');
  });

  test('finds a long one in the lines that base64 prints', () => {
    const key = Array.from({ length: 300 }, (_, i) => String.fromCharCode(33 + ((i * 7) % 90))).join('');
    const printed = Buffer.from(key).toString('base64').replace(/.{76}/g, '$&\n');
    expect(createRedactor({ KEY: key }).text(printed)).toMatch(/^(\[secret KEY\]\n?)+$/);
  });

  test('takes as many and as long ones as a job may have', () => {
    const secrets = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`S${i}`, randomBytes(24_576).toString('base64')]),
    );
    const many = createRedactor(secrets);
    expect(many.text(`x ${secrets.S7} y`)).toBe('x [secret S7] y');
  });

  test('takes the longer of two secrets that start alike', () => {
    const both = createRedactor({ SHORT: 'abcd', LONG: 'abcdefgh' });
    expect(both.text('abcdefgh abcd')).toBe('[secret LONG] [secret SHORT]');
  });
});

test('json: strings and names of members', () => {
  expect(redactor.json({ a: [SECRET, 1, null], [`k${SECRET}`]: { b: `x${SECRET}` } })).toEqual({
    a: [shown, 1, null],
    [`k${shown}`]: { b: `x${shown}` },
  });
});

describe('stream', () => {
  test('holds back no more than what may become a secret', () => {
    const stream = redactor.stream();
    expect(stream.push(Buffer.from('hello ')).toString()).toBe('hello ');
    expect(stream.push(Buffer.from('p@ss/')).toString()).toBe('');
    expect(stream.push(Buffer.from('port')).toString()).toBe('p@ss/port');
  });

  test('waits for the longer of two secrets that start alike', () => {
    const stream = createRedactor({ SHORT: 'abcd', LONG: 'abcdefgh' }).stream();
    const shown = [stream.push(Buffer.from('abcd')), stream.push(Buffer.from('efgh')), stream.end()];
    expect(Buffer.concat(shown).toString()).toBe('[secret LONG]');
  });

  test('gives the same as the whole text, however it is cut', () => {
    const word = fc.constantFrom(SECRET, 'p@ss', '12', '34', '1234', ' ', 'ö', SECRET.slice(0, 7), 'x');
    const cut = fc.array(fc.nat(60), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), cut, (words, cuts) => {
        const bytes = Buffer.from(words.join(''));
        const stream = redactor.stream();
        const borders = [...new Set([0, ...cuts.filter((at) => at < bytes.length), bytes.length])].sort(
          (a, b) => a - b,
        );
        const pieces = borders.slice(1).map((end, i) => stream.push(bytes.subarray(borders[i], end)));
        const whole = Buffer.concat([...pieces, stream.end()]).toString();
        expect(whole).toBe(redactor.text(bytes.toString()));
        expect(whole).not.toContain(SECRET);
      }),
    );
  });
});
