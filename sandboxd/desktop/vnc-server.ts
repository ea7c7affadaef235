import { rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { DESKTOP } from '../../src/protocol/desktop.ts';
import { CodedError } from '../../src/protocol/errors.ts';
import { Program } from './program.ts';

const START_MS = 10_000;
const POLL_MS = 5;

/** The VNC server of the display: on a Unix socket alone, started when somebody first watches. */
export class VncServer {
  readonly #path: string;
  readonly #env: () => Record<string, string>;
  #program: Program | null = null;

  constructor(path: string, env: () => Record<string, string>) {
    this.#path = path;
    this.#env = env;
  }

  /** Connects to it, starting it where it does not run. @throws CodedError DESKTOP_FAILED */
  async connect(): Promise<Socket> {
    const until = performance.now() + START_MS;
    for (let started = false; performance.now() < until; await delay(POLL_MS)) {
      if (!this.#program?.running) {
        if (started && this.#program) throw this.#program.failure();
        this.#program = this.#start();
        started = true;
      }
      const socket = await open(this.#path, until - performance.now());
      if (socket) return socket;
    }
    throw new CodedError('DESKTOP_FAILED', `The VNC server has not answered for ${START_MS / 1_000} s.`);
  }

  #start(): Program {
    // What a server that was killed has left there would keep the next one out.
    rmSync(this.#path, { force: true });
    return new Program(serverCommand(this.#path), this.#env());
  }

  stop(): void {
    this.#program?.kill();
  }
}

/** Without a port, without a password: only sandboxd's user gets to the socket, and through sandboxd the worker. */
function serverCommand(path: string): string[] {
  return [
    'X0tigervnc',
    ...['-display', DESKTOP.display, '-rfbunixpath', path, '-rfbunixmode', '0600', '-rfbport', '-1'],
    // All viewers come from one host: five that leave early would lock out all others.
    ...['-SecurityTypes', 'None', '-UseBlacklist=0', '-AlwaysShared', '-AcceptSetDesktopSize=0'],
    ...['-desktop', 'desktop'],
    ...['-MaxProcessorUsage', '100', '-PollingCycle', '10'],
  ];
}

/**
 * Connects and waits for the greeting, with which the server of RFB begins: the system accepts connections for a server
 * that is being killed, too. Null when that does not come.
 */
function open(path: string, limitMs: number): Promise<Socket | null> {
  const { promise, resolve } = Promise.withResolvers<Socket | null>();
  const socket = connect({ path, allowHalfOpen: true });
  socket.setTimeout(limitMs, () => socket.destroy());
  socket.on('error', () => {});
  socket.once('close', () => resolve(null));
  // At the end, too; then there is nothing to read.
  socket.once('readable', () => {
    socket.setTimeout(0);
    if (socket.readableLength > 0) resolve(socket);
    else socket.destroy();
  });
  return promise;
}
