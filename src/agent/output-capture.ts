import { AGENT_FOLDER } from '../protocol/job.ts';
import { wordsOf } from '../protocol/words-of.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { cleanText } from './clean-text.ts';

/** What the model is shown of an output at most, in characters: up to this whole, else a head and a tail. */
export const SHOWN_CHARACTERS = 30_000;
const HEAD_CHARACTERS = 10_000;
const TAIL_CHARACTERS = 18_000;
const BATCH_CHARACTERS = 256 * 1024;
const FILE_CHARACTERS = 64 * 1024 * 1024;
/** How far a cut looks for the ends of its line. */
const LINE_CHARACTERS = 2_000;
/** Of what is left out of the middle, how much recall can search: a file is gone with its sandbox. */
const RECALLED_CHARACTERS = 1_000_000;

export interface CapturedOutput {
  text: string;
  /** Where the whole of it lies in the workspace when `text` is only head and tail. */
  file: string | null;
  /** What `text` leaves out between head and tail, up to a million characters, in whole lines; null when it is whole. */
  leftOut: string | null;
}

/**
 * Takes a command's output as it comes, both streams in the order of arrival, and holds no more than a batch of it:
 * what is too long to show goes into a file in the sandbox's workspace.
 */
export class OutputCapture {
  readonly #sandbox: Sandbox;
  readonly #path: string;
  readonly #redact: (text: string) => string;
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  #head = '';
  #tail = '';
  #middle = '';
  #total = 0;
  #batch = '';
  #written = 0;
  #fileFault: string | null = null;
  #writing = Promise.resolve();

  /** @param name of the file, such as `12-1`: it is made only if needed. */
  constructor(sandbox: Sandbox, name: string, redact: (text: string) => string) {
    this.#sandbox = sandbox;
    this.#path = `${AGENT_FOLDER}/outputs/${name}.txt`;
    this.#redact = redact;
  }

  /** Resolves when there is room for more. */
  add(stream: 'stdout' | 'stderr', bytes: Buffer): Promise<void> {
    return this.#add(this.#decoders[stream].decode(bytes, { stream: true }));
  }

  async end(): Promise<CapturedOutput> {
    await this.#add(this.#decoders.stdout.decode());
    await this.#add(this.#decoders.stderr.decode());
    if (this.#total <= SHOWN_CHARACTERS) return { text: cleanText(this.#head), file: null, leftOut: null };
    this.#flush(this.#batch);
    await this.#writing;
    return this.#shortened();
  }

  #add(text: string): Promise<void> {
    const room = SHOWN_CHARACTERS - this.#head.length;
    if (room > 0) this.#head += text.slice(0, room);
    const start = Math.max(0, HEAD_CHARACTERS - this.#total);
    this.#middle += text.slice(start, start + Math.max(0, RECALLED_CHARACTERS - this.#middle.length));
    this.#tail = (this.#tail + text).slice(-TAIL_CHARACTERS);
    this.#total += text.length;
    this.#batch += text;
    if (this.#batch.length >= BATCH_CHARACTERS) {
      // Cut between lines, so that what is to be redacted is not cut in two.
      const cut = this.#batch.lastIndexOf('\n') + 1 || this.#batch.length;
      const rest = this.#batch.slice(cut);
      this.#flush(this.#batch.slice(0, cut));
      this.#batch = rest;
    }
    return this.#writing;
  }

  #flush(text: string): void {
    this.#batch = '';
    this.#writing = this.#writing.then(async () => {
      const room = FILE_CHARACTERS - this.#written;
      if (this.#fileFault || room <= 0 || text === '') return;
      const append = this.#written > 0;
      this.#written += text.length;
      try {
        await this.#sandbox.write(this.#path, this.#redact(text.slice(0, room)), { append });
      } catch (error) {
        this.#fileFault = wordsOf(error);
      }
    });
  }

  #shortened(): CapturedOutput {
    const head = cleanText(this.#head.slice(0, HEAD_CHARACTERS));
    const tail = cleanText(this.#tail);
    const left = this.#total - HEAD_CHARACTERS - TAIL_CHARACTERS;
    const where = this.#fileFault
      ? `it could not be kept: ${this.#fileFault}`
      : `the ${this.#total > FILE_CHARACTERS ? `first ${FILE_CHARACTERS} characters are` : 'whole output is'} in ${this.#path}`;
    return {
      text: `${head}\n\n[... ${left} characters left out here; ${where}; recall searches them ...]\n\n${tail}`,
      file: this.#fileFault ? null : this.#path,
      leftOut: this.#redact(cleanText(this.#leftOut(left))),
    };
  }

  /** With the rest of the lines that the cuts go through: half of a line can be neither found nor read. */
  #leftOut(left: number): string {
    const start = this.#head.slice(HEAD_CHARACTERS - LINE_CHARACTERS, HEAD_CHARACTERS);
    const end = left <= this.#middle.length ? this.#tail.slice(0, LINE_CHARACTERS) : '';
    const rest = end.slice(0, end.indexOf('\n') + 1);
    return start.slice(start.lastIndexOf('\n') + 1) + this.#middle.slice(0, left) + rest;
  }
}
