import { FRAME } from '../../src/protocol/frames.ts';
import type { ProcessEnded } from '../../src/protocol/sandboxd.ts';
import type { TerminalInfo, TerminalSize } from '../../src/protocol/terminal.ts';
import type { Running } from '../process/launch.ts';
import { Ring } from '../process/ring.ts';
import type { Call } from '../serve/call.ts';

/** What a terminal has shown, for whoever joins: many screens of it. */
const KEPT_BYTES = 256 * 1024;
/** How long a terminal that nobody sees goes on: time to come back after a connection was cut. */
const UNSEEN_MS = 10 * 60_000;
const MAX_PAYLOAD = 65_535;

/** A program on a pseudo-terminal, and who sees it. The slowest viewer sets the pace. */
export class Terminal {
  readonly name: string;
  size: TerminalSize;
  readonly #kept = new Ring(KEPT_BYTES);
  readonly #viewers = new Set<Call>();
  #running: Running | null = null;
  #unseen: NodeJS.Timeout | undefined;

  constructor(name: string, size: TerminalSize) {
    this.name = name;
    this.size = size;
  }

  /** Takes what the program shows. Never rejects: a viewer who has gone holds nobody back. */
  readonly sink = (bytes: Buffer): Promise<void> | undefined => {
    this.#kept.write(bytes);
    const lagging = [...this.#viewers].flatMap(
      (viewer) => viewer.send(FRAME.data, bytes)?.catch(() => {}) ?? [],
    );
    return lagging.length > 0 ? Promise.all(lagging).then(() => {}) : undefined;
  };

  /** The program has been started. */
  begin(running: Running): void {
    this.#running = running;
  }

  /** Resolves when the program has ended. */
  get ended(): Promise<ProcessEnded> {
    if (!this.#running) throw new Error('the terminal has not begun');
    return this.#running.ended;
  }

  /** Shows a viewer what there is, and from now on what comes. @returns what lets go of it */
  join(viewer: Call): () => void {
    clearTimeout(this.#unseen);
    // In one turn, so that nothing comes twice or in between.
    void viewer.send(FRAME.data, this.#kept.read(this.#kept.start, KEPT_BYTES))?.catch(() => {});
    this.#viewers.add(viewer);
    return () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size > 0) return;
      this.#unseen = setTimeout(() => void this.close(), UNSEEN_MS);
    };
  }

  /** Hands over what is typed; resolves when there is room for more. */
  async type(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at += MAX_PAYLOAD) {
      await this.#tell('d', bytes.subarray(at, at + MAX_PAYLOAD));
    }
  }

  /** Tells the program the size of its screen. */
  async resize(size: TerminalSize): Promise<void> {
    this.size = size;
    const payload = Buffer.alloc(4);
    payload.writeUInt16BE(size.rows, 0);
    payload.writeUInt16BE(size.columns, 2);
    await this.#tell('r', payload);
  }

  /** Ends it with all that runs in it. */
  async close(): Promise<void> {
    clearTimeout(this.#unseen);
    await this.#running?.end();
  }

  info(): TerminalInfo {
    return { name: this.name, ...this.size, pid: this.#running?.pid ?? 0, viewers: this.#viewers.size };
  }

  async #tell(type: 'd' | 'r', payload: Buffer): Promise<void> {
    const header = Buffer.from([type.charCodeAt(0), payload.length >> 8, payload.length & 0xff]);
    await this.#running?.stdin?.write(Buffer.concat([header, payload]));
  }
}
