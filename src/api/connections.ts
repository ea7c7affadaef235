import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections of a server, so that closing it waits for answers under way and for nothing else: Node itself also
 * waits for clients that have connected and sent no request yet, and for those that keep a connection after an answer.
 */
export class Connections {
  /** How many requests of each are being answered. */
  readonly #open = new Map<Socket, number>();
  #closing = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#open.set(socket, 0);
      socket.once('close', () => this.#open.delete(socket));
    });
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#count(socket, 1);
      response.once('close', () => this.#count(socket, -1));
    });
  }

  /** Ends each connection as soon as it has no answer under way. */
  close(): void {
    this.#closing = true;
    for (const [socket, busy] of this.#open) if (busy === 0) socket.destroySoon();
  }

  #count(socket: Socket, change: number): void {
    const busy = (this.#open.get(socket) ?? 0) + change;
    if (this.#open.has(socket)) this.#open.set(socket, busy);
    if (this.#closing && busy === 0) socket.destroySoon();
  }
}
