import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { MuxDecoder } from './decoder.ts';
import { MUX_FRAME, MuxProtocolError, type MuxTextType, muxHeader } from './frames.ts';
import { type MuxOutlet, MuxReset, MuxStream } from './stream.ts';

/** All that the streams of one connection may hold beyond their first windows. */
const BORROWED_MOST_BYTES = 16 * 1024 * 1024;
/** Answers that a peer leaves unread, in bytes, before it is taken for one that only asks. */
const OWED_MOST_BYTES = 8 * 1024 * 1024;
/** Copied, so that the writer need not wait until they have left: the end of a short answer goes with its bytes. */
const COPIED_MOST_BYTES = 4 * 1024;

export interface MuxOptions {
  /** Takes a stream that the peer has opened, with what it said it is for. Without this it may open none. */
  accept?: (stream: MuxStream, head: string) => void;
  /** Streams that the peer may have open; more are reset. Default: 10,000. */
  maxStreams?: number;
}

/**
 * Streams side by side over one connection, which from now on belongs to it. One end opens, the other accepts.
 *
 * Each stream has a window of its own, so one that nobody reads holds up no other and costs 64 KiB at most; those that
 * are read share 16 MiB more. Frames of one turn leave together. A peer that breaks a rule is cut off: what it sends
 * is not trusted. After yamux (github.com/hashicorp/yamux, spec.md); what differs is said in docs/decisions/0020.
 */
export class Mux extends EventEmitter<{ close: [cause: Error | undefined] }> {
  readonly #pipe: Duplex;
  readonly #options: MuxOptions;
  readonly #streams = new Map<number, MuxStream>();
  readonly #ready = new Set<MuxStream>();
  readonly #outlet: MuxOutlet;
  #last = 0;
  #borrowed = 0;
  #corked = false;
  #closed = false;
  #pings: PromiseWithResolvers<void>[] = [];

  constructor(pipe: Duplex, options: MuxOptions = {}) {
    super();
    this.#pipe = pipe;
    this.#options = options;
    this.#outlet = this.#makeOutlet();
    const decoder = new MuxDecoder({
      onData: (id, piece) => this.#find(id)?.onData(piece),
      onFrame: (type, id, value, text) => this.#onFrame(type, id, value, text),
    });
    pipe.on('data', (chunk: Buffer) => {
      if (this.#closed) return;
      try {
        decoder.push(chunk);
      } catch (error) {
        this.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    pipe.on('drain', () => this.#pump());
    pipe.on('error', (error) => this.destroy(error));
    for (const event of ['end', 'close'] as const) pipe.on(event, () => this.destroy());
    if (pipe.destroyed) this.destroy();
  }

  /** Nothing goes through it any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Opens a stream, with at most 64 KiB on what it is for. @throws an Error where this is closed. */
  open(head: string): MuxStream {
    if (this.#closed) throw new Error('The connection is closed.');
    this.#last += 1;
    const stream = this.#add(this.#last);
    this.#text(MUX_FRAME.open, stream.id, head);
    return stream;
  }

  /** Resolves once the peer has answered. @throws an Error where the connection ends first. */
  ping(): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('The connection is closed.'));
    const answer = Promise.withResolvers<void>();
    this.#pings.push(answer);
    this.#control(muxHeader(MUX_FRAME.ping, 0, 0));
    return answer.promise;
  }

  /** Ends the connection: every stream fails. */
  destroy(cause?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    const error = new Error(cause?.message ?? 'The connection has ended.', { cause });
    this.#pipe.on('error', () => {});
    this.#pipe.destroy();
    for (const stream of this.#streams.values()) stream.destroy(error);
    for (const { reject } of this.#pings.splice(0)) reject(error);
    // Later, so that whoever has just made it hears of it.
    process.nextTick(() => this.emit('close', cause));
  }

  #onFrame(type: MuxTextType, id: number, value: number, text: Buffer): void {
    switch (type) {
      case MUX_FRAME.ping:
        this.#control(muxHeader(MUX_FRAME.pong, 0, 0));
        break;
      case MUX_FRAME.pong:
        this.#pings.shift()?.resolve();
        break;
      case MUX_FRAME.open:
        this.#opened(id, text.toString());
        break;
      case MUX_FRAME.accept:
        this.#find(id)?.emit('accept');
        break;
      case MUX_FRAME.window:
        this.#find(id)?.onWindow(value);
        break;
      case MUX_FRAME.end:
        this.#find(id)?.onEnd(text.toString());
        break;
      case MUX_FRAME.reset:
        this.#reset(id, text.toString());
    }
  }

  /** None where it is over already, and the peer may not have heard. @throws MuxProtocolError where it never was. */
  #find(id: number): MuxStream | undefined {
    if (id < 1 || id > this.#last) throw new MuxProtocolError(`stream ${id}, which was never opened`);
    return this.#streams.get(id);
  }

  #opened(id: number, head: string): void {
    const { accept, maxStreams = 10_000 } = this.#options;
    if (!accept || id <= this.#last) throw new MuxProtocolError(`an opening of stream ${id}`);
    this.#last = id;
    if (this.#streams.size >= maxStreams) this.#text(MUX_FRAME.reset, id, 'too many streams');
    else accept(this.#add(id), head);
  }

  #add(id: number): MuxStream {
    const stream = new MuxStream(id, this.#outlet);
    this.#streams.set(id, stream);
    return stream;
  }

  #reset(id: number, why: string): void {
    const stream = this.#find(id);
    // First, so that the peer is not told what it has said itself.
    this.#streams.delete(id);
    stream?.destroy(new MuxReset(why));
  }

  #makeOutlet(): MuxOutlet {
    return {
      ready: (stream) => {
        this.#ready.add(stream);
        this.#pump();
      },
      data: (id, pieces, sent) => this.#data(id, pieces, sent),
      accept: (id) => this.#control(muxHeader(MUX_FRAME.accept, id, 0)),
      end: (id, word) => this.#text(MUX_FRAME.end, id, word),
      window: (id, bytes) => this.#control(muxHeader(MUX_FRAME.window, id, bytes)),
      borrow: (bytes) => {
        const lent = this.#borrowed + bytes <= BORROWED_MOST_BYTES;
        if (lent) this.#borrowed += bytes;
        return lent;
      },
      over: (stream, why, borrowed) => {
        this.#borrowed -= borrowed;
        this.#ready.delete(stream);
        if (this.#streams.delete(stream.id) && why !== null) this.#text(MUX_FRAME.reset, stream.id, why);
      },
    };
  }

  /** One frame of each stream in turn, as long as the connection takes them. */
  #pump(): void {
    for (const stream of this.#ready) {
      if (this.#closed || this.#pipe.writableNeedDrain) return;
      this.#ready.delete(stream);
      // A set goes on with what is added while it is walked through.
      if (stream.sendPiece()) this.#ready.add(stream);
    }
  }

  #data(id: number, pieces: Buffer[], sent: ((error?: Error | null) => void) | null): void {
    if (this.#closed) {
      sent?.(new Error('The connection is closed.'));
      return;
    }
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const header = muxHeader(MUX_FRAME.data, id, bytes);
    this.#cork();
    if (bytes <= COPIED_MOST_BYTES) {
      this.#pipe.write(Buffer.concat([header, ...pieces]));
      sent?.();
      return;
    }
    this.#pipe.write(header);
    pieces.forEach((piece, at) => {
      // The memory is the writer's again only when the bytes have left.
      if (sent && at === pieces.length - 1) this.#pipe.write(piece, sent);
      else this.#pipe.write(piece);
    });
  }

  #text(type: MuxTextType, id: number, text: string): void {
    const payload = Buffer.from(text);
    this.#control(Buffer.concat([muxHeader(type, id, payload.length), payload]));
  }

  #control(frame: Buffer): void {
    if (this.#closed) return;
    if (this.#pipe.writableLength > OWED_MOST_BYTES) {
      this.destroy(new MuxProtocolError('questions without an ear for the answers'));
      return;
    }
    this.#cork();
    this.#pipe.write(frame);
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#pipe.cork();
    setImmediate(() => {
      this.#corked = false;
      this.#pipe.uncork();
    });
  }
}
