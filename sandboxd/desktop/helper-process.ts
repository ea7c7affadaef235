import { z } from 'zod';
import { DESKTOP } from '../../src/protocol/desktop.ts';
import { CodedError, ErrorCode } from '../../src/protocol/errors.ts';
import { Program } from './program.ts';

const ANSWER_MS = 20_000;
const NEWLINE = 0x0a;

const Head = z.object({
  id: z.int(),
  result: z.unknown().optional(),
  error: z.object({ code: ErrorCode, message: z.string() }).optional(),
  bytes: z.int().min(0),
});

export interface Answer {
  result: unknown;
  bytes: Buffer;
}

interface Pending extends PromiseWithResolvers<Answer> {
  timer: NodeJS.Timeout;
}

/** The desktop's helper (see helper/__main__.py): a lasting X client that looks at the screen and acts on it. */
export class Helper {
  readonly program: Program;
  /** Resolves with the screen's size once it has connected to the display; rejects when it cannot. */
  readonly ready: Promise<Answer>;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  #rest: Buffer[] = [];
  #missing = 0;
  #head: z.infer<typeof Head> | null = null;

  /** @param framebuffer the file that the X server draws into */
  constructor(framebuffer: string, env: Record<string, string>) {
    this.program = new Program(['/usr/bin/python3', '-I', DESKTOP.helper, framebuffer], env, 'pipe');
    this.program.child.stdout?.on('data', (bytes: Buffer) => this.#take(bytes));
    this.ready = this.#expect(0, ANSWER_MS);
    void this.program.ended.then(() => {
      for (const id of this.#pending.keys()) this.#settle(id)?.reject(this.program.failure());
    });
  }

  /** @throws CodedError as the helper says; DESKTOP_FAILED when it ends, or does not answer within `limitMs`. */
  call(name: string, args: object, limitMs = ANSWER_MS): Promise<Answer> {
    if (!this.program.running) return Promise.reject(this.program.failure());
    this.#calls += 1;
    const answer = this.#expect(this.#calls, limitMs);
    this.program.child.stdin?.write(`${JSON.stringify({ id: this.#calls, call: name, args })}\n`);
    return answer;
  }

  #expect(id: number, limitMs: number): Promise<Answer> {
    const answer = Promise.withResolvers<Answer>();
    const timer = setTimeout(() => {
      const message = `The desktop has not answered for ${limitMs / 1_000} s.`;
      this.#settle(id)?.reject(new CodedError('DESKTOP_FAILED', message));
      // Whatever it hangs on, the next call gets a new one.
      this.program.kill();
    }, limitMs);
    this.#pending.set(id, { ...answer, timer });
    return answer.promise;
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(pending?.timer);
    return pending;
  }

  /** Its answers: a line of JSON, then as many bytes as that says. */
  #take(bytes: Buffer): void {
    for (let rest = bytes; rest.length > 0; ) {
      if (this.#head) {
        const piece = rest.subarray(0, this.#missing);
        this.#rest.push(piece);
        this.#missing -= piece.length;
        rest = rest.subarray(piece.length);
      } else {
        const end = rest.indexOf(NEWLINE);
        this.#rest.push(end < 0 ? rest : rest.subarray(0, end));
        if (end < 0) return;
        rest = rest.subarray(end + 1);
        this.#head = Head.parse(JSON.parse(Buffer.concat(this.#rest).toString()));
        this.#missing = this.#head.bytes;
        this.#rest = [];
      }
      if (this.#missing === 0) this.#finish();
    }
  }

  #finish(): void {
    const head = this.#head;
    const bytes = Buffer.concat(this.#rest);
    this.#head = null;
    this.#rest = [];
    if (!head) return;
    const pending = this.#settle(head.id);
    if (head.error) pending?.reject(new CodedError(head.error.code, head.error.message));
    else pending?.resolve({ result: head.result, bytes });
  }
}
