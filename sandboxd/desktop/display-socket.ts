import { mkdirSync, renameSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { listenOn } from '../serve/listen.ts';

/**
 * The socket at which X programs look for their display, there before the display is: the first program that connects
 * makes it start. The X server then takes the listening socket over; those few that had come before are led to it.
 */
export class DisplaySocket {
  readonly #path: string;
  readonly #onUse: () => void;
  #server: Server | null = null;
  #early: Socket[] = [];

  constructor(path: string, onUse: () => void) {
    this.#path = path;
    this.#onUse = onUse;
  }

  /** Listens, where nothing does. @returns the descriptor, for an X server to inherit */
  async open(): Promise<number> {
    if (this.#server) return descriptorOf(this.#server);
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on('error', () => {});
      this.#early.push(socket);
      this.#onUse();
    });
    this.#server = server;
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o1777 });
    // A server removes the path that it was made at when it is closed; the X server goes on with this one.
    const made = `${this.#path}.${process.pid}`;
    await listenOn(server, made);
    renameSync(made, this.#path);
    return descriptorOf(server);
  }

  /** Leaves the socket to an X server that has inherited it. */
  handOver(): void {
    this.#server?.close();
    this.#server = null;
  }

  /** Leads those that came before to the display. */
  admit(): void {
    for (const early of this.#early.splice(0)) {
      const display = connect(this.#path);
      display.on('error', () => early.destroy());
      early.on('close', () => display.destroy());
      early.pipe(display).pipe(early);
    }
  }

  /** The display could not be started. */
  refuse(): void {
    for (const early of this.#early.splice(0)) early.destroy();
  }
}

/** Node.js tells it of sockets in no other way, and hands no server to a child that is not Node.js. */
function descriptorOf(server: Server): number {
  const { _handle: handle } = server as Server & { _handle?: { fd?: number } };
  if (handle?.fd === undefined || handle.fd < 0)
    throw new Error('The socket of the display has no descriptor.');
  return handle.fd;
}
