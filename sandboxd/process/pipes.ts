import { execFile } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fromErrno } from '../serve/errno.ts';

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
/** Node.js has no call to make a pipe: `mkfifo` makes this many at a time, which costs 0.1 ms each. */
const BATCH = 32;
const run = promisify(execFile);

/** The two ends of a pipe that a child reads from or writes to. */
export interface Pipe {
  /** Ours; never blocks. */
  near: number;
  /** The child's; blocks as programs expect. Ours to close once the child has it. */
  far: number;
  path: string;
}

/**
 * Makes pipes. The sockets that Node.js gives children would do, but for programs that open /dev/stdout or
 * /dev/stderr (refused on a socket) and for bash, which takes a socket for a remote login and reads ~/.bashrc.
 */
export class Pipes {
  readonly #folder: string;
  readonly #ready: string[] = [];
  #made = 0;
  #making: Promise<void> | null = null;

  constructor(folder: string) {
    this.#folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** A pipe that we read. Its name is there until {@link release}. */
  async output(): Promise<Pipe> {
    const path = await this.#take();
    const near = openSync(path, O_RDONLY | O_NONBLOCK);
    const far = openSync(path, O_WRONLY);
    return { near, far, path };
  }

  /**
   * Takes back the name of an {@link output}.
   * @param drained whether it was read to its end: then nobody writes to it any more, and it serves again
   */
  release({ path }: Pipe, drained: boolean): void {
    if (drained && this.#ready.length < BATCH) this.#ready.push(path);
    else rmSync(path, { force: true });
  }

  /** A pipe that we write. */
  async input(): Promise<Pipe> {
    const path = await this.#take();
    // Opening the writing end needs a reader, opening a blocking reader needs a writer.
    const first = openSync(path, O_RDONLY | O_NONBLOCK);
    const near = openSync(path, O_WRONLY | O_NONBLOCK);
    const far = openSync(path, O_RDONLY);
    closeSync(first);
    unlinkSync(path);
    return { near, far, path };
  }

  /** Makes pipes ahead, so that the next ones cost nothing. */
  refill(): Promise<void> {
    this.#making ??= this.#make().finally(() => {
      this.#making = null;
    });
    return this.#making;
  }

  async #take(): Promise<string> {
    for (;;) {
      const path = this.#ready.pop();
      if (path !== undefined) {
        if (this.#ready.length < BATCH / 4) this.refill().catch(() => {});
        return path;
      }
      await this.refill();
    }
  }

  async #make(): Promise<void> {
    const paths = Array.from({ length: BATCH }, () => join(this.#folder, `${this.#made++}`));
    try {
      await run('mkfifo', ['-m', '600', ...paths]);
    } catch (error) {
      throw fromErrno(error, 'The program mkfifo, which makes the pipes of processes,');
    }
    this.#ready.push(...paths);
  }
}

export function closePipe(pipe: Pipe): void {
  closeSync(pipe.near);
  closeSync(pipe.far);
}
