import { Socket } from 'node:net';

/** The stdin of a process. A process that reads no more is no error: it may end whenever it likes. */
export class Stdin {
  readonly #socket: Socket;

  /** @param fd the writing end of a pipe, which this now owns. */
  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: false, writable: true });
    this.#socket.on('error', () => {});
  }

  get open(): boolean {
    return this.#socket.writable;
  }

  /** Resolves when the process may be sent more; at once when it reads no more. */
  write(bytes: Buffer): Promise<void> {
    if (!this.#socket.writable) return Promise.resolve();
    return new Promise((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
  }

  /** The process reads an end of file after what it was sent. */
  close(): void {
    this.#socket.destroy();
  }
}
