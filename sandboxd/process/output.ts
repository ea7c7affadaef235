import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

/** How long a process that has ended may have others write on for it, such as the `tee` of a `> >(tee log)`. */
const GRACE_MS = 150;
/** The largest a pipe can be made without privileges: what was in it at some moment has come once this much has. */
const PIPE_MAX_BYTES = 1024 * 1024;
/** Output that nobody reads any more is thrown away at this pace, so that a busy writer does not busy sandboxd. */
const DISCARD_BYTES = 256 * 1024;
const DISCARD_PAUSE_MS = 20;

/** Takes a piece of output; a promise holds the writer back. */
export type Sink = (bytes: Buffer) => Promise<void> | undefined;

/** One output stream of a process, read into a sink at the sink's pace. */
export class Output {
  /** How much has come. */
  bytes = 0;
  readonly #socket: Socket;
  readonly #ended = Promise.withResolvers<void>();
  #sink: Sink | null;
  #busy: Promise<void> | undefined;
  #over = false;
  #drained = false;
  #discarded = 0;

  /** @param fd the reading end of a pipe, which this now owns. */
  constructor(fd: number, sink: Sink) {
    this.#sink = sink;
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('error', () => {});
    this.#socket.once('end', () => {
      this.#drained = true;
    });
    this.#socket.once('close', () => {
      this.#over = true;
      this.#ended.resolve();
    });
  }

  /** Whether everyone who could write to it has closed it, and all that they wrote has been read. */
  get drained(): boolean {
    return this.#drained;
  }

  /**
   * Waits until all that the process wrote has reached the sink, given that it has ended. Whatever it left behind
   * may hold the pipe open: the pipe is waited for shortly, then seen empty once, and then left to itself.
   */
  async settle(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      this.#ended.promise,
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, GRACE_MS);
      }),
    ]);
    clearTimeout(timer);
    await this.drain();
    this.#sink = null;
  }

  /** Waits until what was in the pipe at this moment has reached the sink. */
  async drain(): Promise<void> {
    const most = this.bytes + PIPE_MAX_BYTES;
    for (let before = -1; !this.#over && this.bytes < most; ) {
      if (this.#busy) {
        await this.#busy;
        continue;
      }
      if (before === this.bytes) break;
      before = this.bytes;
      // Between two turns of the event loop lies one poll of the pipe.
      await turn();
      await turn();
    }
    await this.#busy;
  }

  #take(chunk: Buffer): void {
    if (!this.#sink) {
      this.#discard(chunk.length);
      return;
    }
    this.bytes += chunk.length;
    const busy = this.#sink(chunk);
    if (!busy) return;
    this.#socket.pause();
    this.#busy = busy.then(
      () => this.#goOn(),
      () => {
        // Nobody takes it any more; the process must not hang on that.
        this.#sink = null;
        this.#goOn();
      },
    );
  }

  #goOn(): void {
    this.#busy = undefined;
    this.#socket.resume();
  }

  #discard(bytes: number): void {
    this.#discarded += bytes;
    if (this.#discarded < DISCARD_BYTES) return;
    this.#discarded = 0;
    this.#socket.pause();
    setTimeout(() => this.#socket.resume(), DISCARD_PAUSE_MS).unref();
  }
}
