import { connect, type Socket } from 'node:net';

/** The part of ZMTP 3.0 (https://rfc.zeromq.org/spec/23/) that a client of Jupyter kernels needs. */
const GREETING_BYTES = 64;
const MORE = 1;
const LONG = 2;
const COMMAND = 4;
/** A longer frame is not kept: its place is taken by an empty one. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
const MAX_FRAMES = 64;

export interface ZmtpMessage {
  frames: Buffer[];
  /** Bytes of frames that were too long to keep. */
  skipped: number;
}

/** One socket of the pattern, connected over a Unix socket. Resolves when the peer's greeting has come. */
export async function connectZmtp(
  path: string,
  pattern: 'DEALER' | 'SUB',
  onMessage: (message: ZmtpMessage) => void,
): Promise<{ send(frames: Buffer[]): void; close(): void }> {
  const socket = connect(path);
  const ready = Promise.withResolvers<void>();
  socket.once('error', ready.reject);
  socket.once('close', () => ready.reject(new Error('the kernel closed its socket')));
  const reader = new Reader(() => ready.resolve(), onMessage);
  socket.on('data', (chunk: Buffer) => reader.push(chunk));
  socket.write(greeting());
  socket.write(frame(COMMAND, readyCommand(pattern)));
  await ready.promise;
  socket.on('error', () => {});
  const send = (frames: Buffer[]): void => sendAll(socket, frames);
  // Everything that is published.
  if (pattern === 'SUB') send([Buffer.from([1])]);
  return { send, close: () => socket.destroy() };
}

function sendAll(socket: Socket, frames: Buffer[]): void {
  socket.cork();
  for (const [at, body] of frames.entries()) socket.write(frame(at < frames.length - 1 ? MORE : 0, body));
  socket.uncork();
}

/** Signature, version 3.0, mechanism NULL, as a client. */
function greeting(): Buffer {
  const bytes = Buffer.alloc(GREETING_BYTES);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes.write('NULL', 12, 'latin1');
  return bytes;
}

function readyCommand(pattern: string): Buffer {
  const name = 'Socket-Type';
  const length = Buffer.alloc(4);
  length.writeUInt32BE(pattern.length);
  return Buffer.concat([
    Buffer.from(`\x05READY${String.fromCharCode(name.length)}${name}`),
    length,
    Buffer.from(pattern),
  ]);
}

function frame(flags: number, body: Buffer): Buffer {
  if (body.length < 256) return Buffer.concat([Buffer.from([flags, body.length]), body]);
  const header = Buffer.alloc(9);
  header[0] = flags | LONG;
  header.writeBigUInt64BE(BigInt(body.length), 1);
  return Buffer.concat([header, body]);
}

/** Puts the peer's messages together from the pieces in which they come. */
class Reader {
  readonly #onReady: () => void;
  readonly #onMessage: (message: ZmtpMessage) => void;
  #pieces: Buffer[] = [];
  #held = 0;
  #state: 'greeting' | 'flags' | 'length' | 'body' = 'greeting';
  #flags = 0;
  #needed = GREETING_BYTES;
  /** Bytes of a long frame that are still to be thrown away. */
  #skipping = 0;
  #message: ZmtpMessage = { frames: [], skipped: 0 };

  constructor(onReady: () => void, onMessage: (message: ZmtpMessage) => void) {
    this.#onReady = onReady;
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 || this.#held >= this.#needed) {
      if (this.#skipping > 0) {
        const gone = Math.min(this.#skipping, rest.length);
        rest = rest.subarray(gone);
        this.#skipping -= gone;
        if (this.#skipping > 0) return;
        this.#body(Buffer.alloc(0));
        continue;
      }
      const taken = rest.subarray(0, this.#needed - this.#held);
      rest = rest.subarray(taken.length);
      if (taken.length > 0) this.#pieces.push(taken);
      this.#held += taken.length;
      if (this.#held < this.#needed) return;
      const [first = Buffer.alloc(0), ...more] = this.#pieces;
      const bytes = more.length > 0 ? Buffer.concat([first, ...more]) : first;
      this.#pieces = [];
      this.#held = 0;
      this.#step(bytes);
    }
  }

  #step(bytes: Buffer): void {
    if (this.#state === 'flags') {
      this.#flags = bytes[0] ?? 0;
      this.#state = 'length';
      this.#needed = this.#flags & LONG ? 8 : 1;
    } else if (this.#state === 'length') {
      const length = this.#flags & LONG ? Number(bytes.readBigUInt64BE()) : (bytes[0] ?? 0);
      this.#state = 'body';
      this.#needed = length;
      if (length <= MAX_FRAME_BYTES) {
        if (length === 0) this.#body(bytes.subarray(0, 0));
        return;
      }
      this.#message.skipped += length;
      this.#skipping = length;
      this.#needed = 1;
    } else if (this.#state === 'body') {
      this.#body(bytes);
    } else {
      this.#next();
      this.#onReady();
    }
  }

  #body(bytes: Buffer): void {
    this.#next();
    if (this.#flags & COMMAND) return;
    if (this.#message.frames.length < MAX_FRAMES) this.#message.frames.push(bytes);
    if (this.#flags & MORE) return;
    const message = this.#message;
    this.#message = { frames: [], skipped: 0 };
    this.#onMessage(message);
  }

  #next(): void {
    this.#state = 'flags';
    this.#needed = 1;
  }
}
