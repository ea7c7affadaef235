import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '../../src/protocol/errors.ts';
import type { Channel, Driver, SandboxHandle } from '../../src/sandbox/driver.ts';

const MAIN = resolve(import.meta.dirname, '../../sandboxd/main.ts');

/** sandboxd as a process of this machine, with folders of its own: the real daemon and wire, without an engine. */
export class LocalSandbox {
  readonly folder: string;
  readonly workspace: string;
  readonly handle: SandboxHandle = { driver: 'local', id: 'local', ref: 'local' };
  /** The connections that {@link driver} has handed out, oldest first. */
  readonly sockets: { channel: Channel; socket: Socket }[] = [];
  #daemon: ChildProcess;
  #starts = 1;
  #gone = false;

  private constructor(folder: string) {
    this.folder = folder;
    this.workspace = join(folder, 'workspace');
    this.#daemon = this.#spawn();
  }

  static async start(): Promise<LocalSandbox> {
    const folder = await mkdtemp(join(tmpdir(), 'sandboxd-test-'));
    await mkdir(join(folder, 'workspace'));
    return new LocalSandbox(folder);
  }

  get pid(): number {
    return this.#daemon.pid ?? 0;
  }

  /** Kills sandboxd, as running out of memory would. */
  async kill(): Promise<void> {
    const exited = once(this.#daemon, 'exit');
    this.#daemon.kill('SIGKILL');
    await exited;
  }

  /** Starts it anew, as the sandbox's init would. */
  restart(): void {
    this.#starts += 1;
    this.#daemon = this.#spawn();
  }

  /** From now on the driver says that the sandbox is gone. */
  declareGone(): void {
    this.#gone = true;
  }

  readonly driver: Pick<Driver, 'connect'> = {
    connect: async (_handle, channel, signal) => {
      const path = join(this.folder, 'run', `${channel}.sock`);
      for (;;) {
        signal?.throwIfAborted();
        if (this.#gone) throw new CodedError('SANDBOX_LOST', 'It is gone.');
        const socket = existsSync(path) ? await open(path) : null;
        if (socket) {
          this.sockets.push({ channel, socket });
          return socket;
        }
        await delay(5, undefined, signal ? { signal } : {});
      }
    },
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.sockets) socket.destroy();
    if (this.#daemon.exitCode === null && this.#daemon.signalCode === null) await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    return spawn(process.execPath, [MAIN], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env.PATH ?? '',
        HOME: this.folder,
        SANDBOXD_RUN: join(this.folder, 'run'),
        SANDBOXD_WORKSPACE: this.workspace,
        SANDBOXD_PROXY_PORT: '0',
        SANDBOXD_KERNEL_NODE: resolve(MAIN, '../kernel/node/program/main.ts'),
        SANDBOXD_KERNEL_PYTHON: resolve(MAIN, '../kernel/python.py'),
        SANDBOXD_STARTS: `${this.#starts}`,
      },
    });
  }
}

function open(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
}
