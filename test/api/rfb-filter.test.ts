import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RfbFilter, RfbViolation } from '../../src/api/desktop/rfb-filter.ts';

const OPENING = Buffer.from('RFB 003.008\n\x01\x00', 'latin1');
const SHARED_OPENING = Buffer.from('RFB 003.008\n\x01\x01', 'latin1');
const KEY = Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x61]);
const POINTER = Buffer.from([5, 1, 0, 10, 0, 20]);
const QEMU_KEY = Buffer.from([255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 0, 30]);
const UPDATE = Buffer.from([3, 1, 0, 0, 0, 0, 5, 0, 3, 32]);
const FENCE = Buffer.from([248, 0, 0, 0, 0, 0, 0, 1, 2, 7, 7]);
const CONTINUOUS = Buffer.from([150, 1, 0, 0, 0, 0, 5, 0, 3, 32]);
const FORMAT = Buffer.alloc(20);

function clipboard(length: number, payload = Math.abs(length)): Buffer {
  const message = Buffer.alloc(8 + payload, 0x78);
  message.writeUInt32BE(0x06000000, 0);
  message.writeInt32BE(length, 4);
  return message;
}
function encodings(...wanted: number[]): Buffer {
  const message = Buffer.alloc(4 + 4 * wanted.length);
  message[0] = 2;
  message.writeUInt16BE(wanted.length, 2);
  for (const [i, encoding] of wanted.entries()) message.writeInt32BE(encoding, 4 + 4 * i);
  return message;
}

const opened = (mayControl: boolean): RfbFilter => {
  const filter = new RfbFilter(() => mayControl);
  expect(filter.take(OPENING)).toEqual(SHARED_OPENING);
  return filter;
};
const INPUT = [KEY, POINTER, QEMU_KEY, clipboard(5), clipboard(-12)];
const VIEWING = [UPDATE, FENCE, CONTINUOUS, FORMAT];

describe('what a viewer sends', () => {
  it.each(INPUT.map((message) => [message.subarray(0, 12).toString('hex'), message]))(
    '%s reaches the desktop only with control',
    (_hex, message) => {
      expect(opened(false).take(Buffer.concat([message, UPDATE]))).toEqual(UPDATE);
      expect(opened(true).take(message)).toEqual(message);
    },
  );

  it('is judged anew for each message', () => {
    let may = true;
    const filter = new RfbFilter(() => may);
    filter.take(OPENING);
    expect(filter.take(KEY)).toEqual(KEY);
    may = false;
    expect(filter.take(KEY)).toHaveLength(0);
  });

  it('reaches the desktop when it only watches', () => {
    expect(opened(false).take(Buffer.concat(VIEWING))).toEqual(Buffer.concat(VIEWING));
  });

  it('asks for no encoding that would let it say more', () => {
    const asked = encodings(7, 0, -316, -308, -309, -223, -305, 99);
    expect(opened(true).take(asked)).toEqual(encodings(7, 0, -223));
  });

  it('never throws other viewers out', () => {
    const filter = new RfbFilter(() => false);
    expect(filter.take(OPENING).at(-1)).toBe(1);
  });

  it.each([
    ['an unknown type', Buffer.from([251, 0, 0, 0])],
    ['xvp', Buffer.from([250, 0, 1, 2])],
    ['an unknown message of QEMU', Buffer.from([255, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
    ['a clipboard without end', clipboard(0x7fffffff, 0)],
    ['an extended clipboard without end', clipboard(-0x7fffffff, 0)],
  ])('is the end of it: %s', (_what, message) => {
    expect(() => opened(true).take(message)).toThrow(RfbViolation);
  });

  it.each(['RFB 003.003\n', 'GET / HTTP/1', 'RFB 003.889\n'])('is no opening: %j', (version) => {
    expect(() => new RfbFilter(() => true).take(Buffer.from(version))).toThrow(RfbViolation);
  });

  it('asks for no security type but the one without a password', () => {
    const filter = new RfbFilter(() => true);
    filter.take(Buffer.from('RFB 003.008\n'));
    expect(() => filter.take(Buffer.from([16]))).toThrow(RfbViolation);
  });

  it('is read the same however it is cut into pieces', () => {
    const message = fc.constantFrom(...INPUT, ...VIEWING, encodings(7, 5, -316));
    fc.assert(
      fc.property(
        fc.array(message),
        fc.boolean(),
        fc.array(fc.nat(64), { minLength: 1 }),
        (messages, may, cuts) => {
          const whole = Buffer.concat([OPENING, ...messages]);
          const expected = new RfbFilter(() => may).take(whole);
          const filter = new RfbFilter(() => may);
          const passed: Buffer[] = [];
          for (let at = 0, i = 0; at < whole.length; i++) {
            const size = (cuts[i % cuts.length] ?? 0) + 1;
            passed.push(filter.take(whole.subarray(at, at + size)));
            at += size;
          }
          expect(Buffer.concat(passed)).toEqual(expected);
        },
      ),
    );
  });
});
