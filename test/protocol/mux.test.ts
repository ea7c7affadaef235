import { once } from 'node:events';
import { Duplex, duplexPair } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  FIRST_WINDOW_BYTES,
  MAX_MUX_DATA_BYTES,
  MAX_MUX_TEXT_BYTES,
  MUX_FRAME,
  muxHeader,
} from '../../src/protocol/mux/frames.ts';
import { Mux, type MuxOptions } from '../../src/protocol/mux/mux.ts';
import { MuxReset, type MuxStream } from '../../src/protocol/mux/stream.ts';

const open: Mux[] = [];
afterEach(() => {
  for (const mux of open.splice(0)) mux.destroy();
});

function pair(accept: MuxOptions['accept'] = () => {}, options: Omit<MuxOptions, 'accept'> = {}) {
  const [near, far] = duplexPair();
  const [opener, acceptor] = [new Mux(near), new Mux(far, { accept, ...options })];
  open.push(opener, acceptor);
  return { opener, acceptor, near, far };
}

/** Every stream that is opened is told its own bytes back. */
const echo = (stream: MuxStream) => void stream.pipe(stream);
const closed = (stream: Duplex) => new Promise<void>((resolve) => stream.once('close', resolve));

describe('a stream', () => {
  it('carries what it is for, bytes both ways, and a last word', async () => {
    const heard = Promise.withResolvers<string[]>();
    const { opener } = pair(async (stream, head) => {
      const asked = await text(stream.iterator({ destroyOnReturn: false }));
      heard.resolve([head, asked, String(stream.peerWord)]);
      stream.write('answer');
      stream.finish('well');
    });
    const stream = opener.open('greeting');
    stream.write('hel');
    stream.write('lo');
    stream.finish('over');
    expect(await text(stream)).toBe('answer');
    expect(await heard.promise).toEqual(['greeting', 'hello', 'over']);
    expect(stream.peerWord).toBe('well');
  });

  it('carries much, unchanged, beside others', async () => {
    const { opener } = pair(echo);
    const sent = Array.from({ length: 8 }, (_, i) => Buffer.alloc(3_000_000 + i, `${i}abcdefghijk`));
    const got = await Promise.all(
      sent.map((bytes) => {
        const stream = opener.open('echo');
        stream.end(bytes);
        return buffer(stream);
      }),
    );
    expect(got.map((bytes, i) => bytes.equals(sent[i] ?? Buffer.alloc(0)))).toEqual(sent.map(() => true));
  });

  it('that nobody reads costs its peer a window and keeps no other waiting', async () => {
    const idle: MuxStream[] = [];
    const { opener } = pair((stream, head) => (head === 'echo' ? echo(stream) : void idle.push(stream)));
    const stuck = Array.from({ length: 100 }, () => opener.open('stuck'));
    for (const stream of stuck) stream.write(Buffer.alloc(1_000_000));
    const stream = opener.open('echo');
    stream.end(Buffer.alloc(5_000_000));
    expect((await buffer(stream)).length).toBe(5_000_000);
    expect(idle.map(({ readableLength }) => readableLength)).toEqual(stuck.map(() => FIRST_WINDOW_BYTES));
  });

  it('goes on where its reader pauses and takes up again', async () => {
    const peer = Promise.withResolvers<MuxStream>();
    const { opener } = pair(peer.resolve);
    const sent = Buffer.alloc(2_000_000, 'xyz');
    opener.open('').end(sent);
    const pieces: Buffer[] = [];
    const stream = await peer.promise;
    for await (const piece of stream) {
      pieces.push(piece);
      await new Promise(setImmediate);
    }
    expect(Buffer.concat(pieces).equals(sent)).toBe(true);
  });

  it('holds a writer back until its peer reads', async () => {
    const peer = Promise.withResolvers<MuxStream>();
    const { opener } = pair(peer.resolve);
    const stream = opener.open('');
    let written = false;
    stream.write(Buffer.alloc(FIRST_WINDOW_BYTES + 1), () => {
      written = true;
    });
    const other = await peer.promise;
    await vi.waitFor(() => expect(other.readableLength).toBe(FIRST_WINDOW_BYTES));
    expect(written).toBe(false);
    other.resume();
    await vi.waitFor(() => expect(written).toBe(true));
  });

  it('that is reset fails at the other end, with the words that were said', async () => {
    const { opener } = pair((stream) => stream.reset('not allowed'));
    const stream = opener.open('');
    const [error] = await once(stream, 'error');
    expect(error).toBeInstanceOf(MuxReset);
    expect(error.why).toBe('not allowed');
  });

  it('tells that it was taken up, when its peer says so', async () => {
    const { opener } = pair((stream) => stream.accept());
    await once(opener.open(''), 'accept');
  });

  it('that is destroyed before its peer heard of it leaves nothing', async () => {
    const seen: MuxStream[] = [];
    const { opener } = pair((stream) => void seen.push(stream));
    for (let i = 0; i < 1_000; i++) opener.open('').destroy();
    await opener.ping();
    expect(seen).toHaveLength(1_000);
    await vi.waitFor(() => expect(seen.every(({ destroyed }) => destroyed)).toBe(true));
  });

  it('that has ended both ways is no reset', async () => {
    const peer = Promise.withResolvers<MuxStream>();
    const { opener } = pair(peer.resolve);
    const stream = opener.open('');
    stream.resume().end();
    const other = await peer.promise;
    other.resume().end();
    await Promise.all([closed(stream), closed(other)]);
    expect([stream.errored, other.errored]).toEqual([null, null]);
  });
});

describe('a connection', () => {
  it.each(['cut', 'ended', 'destroyed'])('that is %s fails every stream of both ends', async (how) => {
    const seen: MuxStream[] = [];
    const { opener, near } = pair((stream) => void seen.push(stream));
    const streams = [opener.open(''), opener.open('')];
    const reading = streams.map((stream) => expect(text(stream)).rejects.toThrow());
    await opener.ping();
    if (how === 'cut') near.destroy();
    else if (how === 'ended') near.end();
    else opener.destroy();
    if (how === 'ended') await vi.waitFor(() => expect(seen.every(({ errored }) => errored)).toBe(true));
    opener.destroy();
    await Promise.all(reading);
    await vi.waitFor(() => expect(seen.every(({ errored }) => errored)).toBe(true));
    expect(seen).toHaveLength(2);
    expect(() => opener.open('')).toThrow('closed');
    await expect(opener.ping()).rejects.toThrow('closed');
  });

  it('over a pipe that is gone says so to whoever has just made it', async () => {
    const [near] = duplexPair();
    near.destroy();
    const mux = new Mux(near);
    await once(mux, 'close');
    expect(mux.closed).toBe(true);
  });

  it('fails a ping that is never answered', async () => {
    const [near] = duplexPair();
    const mux = new Mux(near);
    const ping = expect(mux.ping()).rejects.toThrow();
    mux.destroy();
    await ping;
  });

  it('resets streams beyond the most', async () => {
    const { opener } = pair(() => {}, { maxStreams: 2 });
    const streams = [1, 2, 3].map(() => opener.open(''));
    const [error] = await once(streams[2] as MuxStream, 'error');
    expect(error.why).toBe('too many streams');
    streams[0]?.destroy();
    const again = opener.open('');
    await opener.ping();
    expect(again.destroyed).toBe(false);
  });

  it('takes frames apart, wherever they are cut', async () => {
    const [near, far] = duplexPair();
    const got = Promise.withResolvers<string>();
    open.push(new Mux(far, { accept: async (stream, head) => got.resolve(`${head} ${await text(stream)}`) }));
    const head = Buffer.from('head');
    const body = Buffer.from('body');
    const bytes = Buffer.concat([
      muxHeader(MUX_FRAME.open, 7, head.length),
      head,
      muxHeader(MUX_FRAME.data, 7, body.length),
      body,
      muxHeader(MUX_FRAME.data, 7, 0),
      muxHeader(MUX_FRAME.end, 7, 0),
    ]);
    for (const byte of bytes) near.write(Buffer.of(byte));
    expect(await got.promise).toBe('head body');
  });

  const opened = muxHeader(MUX_FRAME.open, 1, 0);
  const full = (id: number) =>
    Buffer.concat([muxHeader(MUX_FRAME.data, id, MAX_MUX_DATA_BYTES), Buffer.alloc(MAX_MUX_DATA_BYTES)]);
  it.each([
    ['of an unknown type', Buffer.alloc(9, 0xff)],
    ['that is too long', muxHeader(MUX_FRAME.data, 1, MAX_MUX_DATA_BYTES + 1)],
    ['with too long a text', muxHeader(MUX_FRAME.open, 1, MAX_MUX_TEXT_BYTES + 1)],
    ['of a stream that never was', muxHeader(MUX_FRAME.window, 1, 1)],
    ['of a stream 0', muxHeader(MUX_FRAME.end, 0, 0)],
    ['that opens a stream again', Buffer.concat([opened, opened])],
    ['that overfills a window', Buffer.concat([opened, full(1), full(1)])],
    ['after an end', Buffer.concat([opened, muxHeader(MUX_FRAME.end, 1, 0), full(1)])],
    ['that ends twice', Buffer.concat([opened, ...Array(2).fill(muxHeader(MUX_FRAME.end, 1, 0))])],
  ])('is cut at a frame %s', async (_what, bytes) => {
    const [near, far] = duplexPair();
    const mux = new Mux(far, { accept: () => {} });
    near.on('error', () => {});
    const [cause] = await Promise.all([once(mux, 'close'), near.write(bytes)]);
    expect(String(cause)).toContain('The peer broke the multiplexing protocol');
    expect(far.destroyed).toBe(true);
  });

  it('is cut where a peer opens what is for this end to open', async () => {
    const [near, far] = duplexPair();
    const mux = new Mux(far);
    near.write(opened);
    expect(String(await once(mux, 'close'))).toContain('an opening');
  });

  it('is cut where a peer asks and asks and reads nothing', async () => {
    const asking = new Duplex({ read() {}, write() {} });
    const mux = new Mux(asking, { accept: () => {} });
    const ended = once(mux, 'close');
    const pings = Buffer.concat(Array(10_000).fill(muxHeader(MUX_FRAME.ping, 0, 0)));
    for (let i = 0; i < 100 && !mux.closed; i++) {
      asking.push(pings);
      await new Promise(setImmediate);
    }
    expect(String(await ended)).toContain('questions');
  });
});
