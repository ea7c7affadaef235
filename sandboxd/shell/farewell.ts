import type { Sink } from '../process/output.ts';

const WORD = Buffer.from('exit\n');

/** An interactive bash says "exit" on stderr as it exits, which is no output of the command: it is held back. */
export class Farewell {
  readonly #sink: Sink;
  #held = Buffer.alloc(0);

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  write(bytes: Buffer): Promise<void> | undefined {
    const all = this.#held.length > 0 ? Buffer.concat([this.#held, bytes]) : bytes;
    const held = Math.min(WORD.length, all.length);
    const keep = all.subarray(all.length - held).equals(WORD.subarray(0, held)) ? held : 0;
    this.#held = Buffer.from(all.subarray(all.length - keep));
    const rest = all.subarray(0, all.length - keep);
    return rest.length > 0 ? this.#sink(rest) : undefined;
  }

  /** @param exited whether bash did exit: then the word at the end is its own. */
  async end(exited: boolean): Promise<void> {
    if (this.#held.length === 0 || (exited && this.#held.equals(WORD))) return;
    await this.#sink(this.#held);
  }
}
