import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeFrames,
  encodeJson,
  FRAME,
  frameHeader,
  MAX_DATA_BYTES,
  MAX_JSON_BYTES,
} from '../../src/protocol/frames.ts';

const message = fc.oneof(
  fc.record({ kind: fc.constant(FRAME.json), value: fc.jsonValue() }),
  fc.record({ kind: fc.constantFrom(FRAME.data, FRAME.stderr), bytes: fc.uint8Array({ maxLength: 3_000 }) }),
);
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

const encode = (item: Message): Buffer =>
  'value' in item
    ? encodeJson(item.value)
    : Buffer.concat([frameHeader(item.kind, item.bytes.length), item.bytes]);

/** Neighbouring pieces of bytes become one, as a reader sees them. */
async function decode(chunks: Iterable<Buffer>): Promise<[number, unknown][]> {
  const found: [number, unknown][] = [];
  for await (const { kind, payload } of decodeFrames(from(chunks))) {
    if (kind === FRAME.json) found.push([kind, JSON.parse(payload.toString())]);
    else if (payload.length === 0) found.push([kind, '']);
    else {
      const last = found.at(-1);
      if (last?.[0] === kind && last[1] !== '') last[1] += payload.toString('hex');
      else found.push([kind, payload.toString('hex')]);
    }
  }
  return found;
}

async function* from(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}

function cut(bytes: Buffer, sizes: number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 });

describe('frames', () => {
  it('come out as they went in, however the stream is cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 12 }), sizes, async (items, chunkSizes) => {
        const bytes = Buffer.concat(items.map(encode));
        expect(await decode(cut(bytes, chunkSizes))).toEqual(await decode(items.map(encode)));
        const values = (await decode([bytes]))
          .filter(([kind]) => kind === FRAME.json)
          .map(([, value]) => value);
        const sent = items.filter((item) => 'value' in item);
        expect(values).toEqual(sent.map(({ value }) => JSON.parse(JSON.stringify(value))));
      }),
    );
  });

  it('never end well when the stream is cut inside of one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 5 }),
        sizes,
        fc.nat(),
        async (items, chunkSizes, at) => {
          const frames = items.map(encode);
          const bytes = Buffer.concat(frames);
          const length = at % bytes.length;
          let edge = 0;
          const edges = new Set([0, ...frames.map((frame) => (edge += frame.length))]);
          const read = decode(cut(bytes.subarray(0, length), chunkSizes));
          if (edges.has(length)) await read;
          else await expect(read).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
        },
      ),
    );
  });

  it.each([
    ['an unknown kind', Buffer.from([9, 0, 0, 0, 1, 0])],
    ['more JSON than there may be', frameHeader(FRAME.json, MAX_JSON_BYTES + 1)],
    ['more data than there may be', frameHeader(FRAME.data, MAX_DATA_BYTES + 1)],
  ])('that announce %s end the stream before anything is held', async (_what, bytes) => {
    await expect(decode([bytes])).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });
});
