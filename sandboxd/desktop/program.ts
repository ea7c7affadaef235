import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { CodedError } from '../../src/protocol/errors.ts';
import { asFirstToGo } from '../process/memory-limit.ts';

const KEPT_CHARS = 1_000;

/** A program that belongs to the desktop, and what it said last. */
export class Program {
  readonly name: string;
  readonly child: ChildProcess;
  /** Resolves when it has ended, however that came, or could not be started. */
  readonly ended: Promise<void>;
  running = true;
  #said = '';

  /** @param stdio of which stderr must be a pipe: it is read to say why the program ended. */
  constructor(
    argv: string[],
    env: Record<string, string>,
    stdio: StdioOptions = ['ignore', 'ignore', 'pipe'],
  ) {
    const [name = '', ...args] = argv;
    this.name = name;
    this.child = asFirstToGo(() => spawn(name, args, { env, stdio, cwd: '/', detached: true }));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-KEPT_CHARS);
    });
    for (const stream of [this.child.stdin, this.child.stdout, this.child.stderr])
      stream?.on('error', () => {});
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    const end = (why: string): void => {
      if (!this.running) return;
      this.running = false;
      this.#said = `${why} ${this.#said}`.trim();
      resolve();
    };
    this.child.once('error', (error) => end(`${error.message}.`));
    this.child.once('exit', (code, signal) => end(signal ? `Ended by ${signal}.` : `Exit code ${code}.`));
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** What to say of it once it has ended. */
  failure(): CodedError {
    return new CodedError(
      'DESKTOP_FAILED',
      `The desktop's program ${this.name} has ended. ${this.#said}`.trim(),
    );
  }
}
