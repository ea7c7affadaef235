import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExecStream } from '../../src/sandbox/docker/exec-stream.ts';

function frame(kind: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

function open(): { engine: Duplex; stream: ExecStream } {
  const [engine, socket] = duplexPair();
  return { engine, stream: new ExecStream(socket) };
}

/** Everything that the stream gives before it fails, and what it fails with. */
async function drain(stream: ExecStream): Promise<{ bytes: Buffer; error: unknown }> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of stream) pieces.push(piece);
    return { bytes: Buffer.concat(pieces), error: null };
  } catch (error) {
    return { bytes: Buffer.concat(pieces), error };
  }
}

describe('ExecStream', () => {
  it('gives what the program prints, however the engine cuts it', async () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 });
    const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(payloads, cuts, async (parts, sizes) => {
        const { engine, stream } = open();
        const wire = Buffer.concat(parts.map((part) => frame(1, Buffer.from(part))));
        for (let at = 0, i = 0; at < wire.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          engine.write(wire.subarray(at, at + size));
          at += size;
        }
        engine.end();
        const expected = Buffer.concat(parts.map((part) => Buffer.from(part)));
        expect((await drain(stream)).bytes.equals(expected)).toBe(true);
      }),
    );
  });

  it('never ends by itself: a program that is gone is an error with its own words', async () => {
    const { engine, stream } = open();
    engine.write(frame(1, Buffer.from('out')));
    engine.end(frame(2, Buffer.from('socat: no such file\n')));
    const { bytes, error } = await drain(stream);
    expect(bytes.toString()).toBe('out');
    expect(error).toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringContaining('socat: no such file'),
    });
  });

  it('keeps a bounded part of stderr', async () => {
    const { engine, stream } = open();
    for (let i = 0; i < 100; i++) engine.write(frame(2, Buffer.alloc(1_000, 'x')));
    engine.end();
    const { error } = await drain(stream);
    expect(String(error).length).toBeLessThan(4_300);
  });

  it('fails on a frame that is none', async () => {
    const { engine, stream } = open();
    engine.write(Buffer.from('HTTP/1.1 500 Oops\r\n\r\n'));
    const { error } = await drain(stream);
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('kind 72') });
    expect(engine.destroyed || engine.readableEnded || !engine.writable).toBeDefined();
  });

  it('holds the engine back while nobody reads', async () => {
    const { engine, stream } = open();
    const piece = frame(1, Buffer.alloc(65_536, 'y'));
    let written = 0;
    while (written < 100 && engine.write(piece)) {
      written += 1;
      await new Promise(setImmediate);
    }
    expect(written).toBeLessThan(20);
    stream.once('data', () => {});
    await once(engine, 'drain');
    stream.destroy();
  });

  it('takes no more than the other side reads, but for what fits on the way', async () => {
    const { stream } = open();
    let taken = 0;
    for (let i = 0; i < 64; i++) stream.write(Buffer.alloc(1024 * 1024), () => void taken++);
    await new Promise(setImmediate);
    expect(taken).toBeLessThan(32);
    stream.destroy();
    stream.on('error', () => {});
  });

  it('destroys the connection with it', async () => {
    const { engine, stream } = open();
    stream.destroy();
    engine.resume();
    await once(engine, 'end');
  });
});
