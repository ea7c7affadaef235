import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { DEFAULT_DESKTOP_SIZE, DESKTOP, type DesktopInfo, DesktopSize } from '../../src/protocol/desktop.ts';
import { CodedError } from '../../src/protocol/errors.ts';
import type { Environment } from '../process/environment.ts';
import { killTree } from '../process/tree.ts';
import type { Settings } from '../settings.ts';
import { DisplaySocket } from './display-socket.ts';
import { type Answer, Helper } from './helper-process.ts';
import { keepRunning } from './keep-running.ts';
import { Program } from './program.ts';
import { VncServer } from './vnc-server.ts';

/** Memory, where there is such a folder: a screen is written to all the time. */
const FRAMEBUFFER_PARENT = '/dev/shm';
/** systemd's protocol of handing over a socket: it is descriptor 3, and the variable names who is meant. */
const WITH_SOCKET = ['/bin/sh', '-c', 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', 'sh'];

const MANAGER = ['openbox', '--sm-disable', '--config-file', `${DESKTOP.helper}/openbox.xml`];
/** Without a window manager there is still a desktop. */
const MANAGER_MS = 5_000;

const LOCK = `/tmp/.X${DESKTOP.display.slice(1)}-lock`;

interface Display {
  server: Program;
  helper: Helper;
  size: DesktopSize;
  framebuffer: string;
}

/**
 * The sandbox's screen: an X server, its window manager, the helper and, once somebody watches, a VNC server. It is
 * started by the first call or the first program that wants it; what ends is started again, at the latest when it is
 * wanted next.
 */
export class Desktop {
  readonly #environment: Environment;
  readonly #socket: DisplaySocket;
  readonly #vnc: VncServer;
  readonly #sizeFile: string;
  /** What its processes are known by: sandboxds that see one another's leave them alone. */
  readonly #mark: string;
  #size: DesktopSize;
  #display: Promise<Display> | null = null;
  #running: Display | null = null;
  #starts = 0;
  readonly #isFirst: boolean;

  constructor(environment: Environment, { run, displaySocket, starts }: Settings) {
    this.#isFirst = starts === 1;
    this.#environment = environment;
    this.#socket = new DisplaySocket(displaySocket, () => void this.#up().catch(() => {}));
    this.#vnc = new VncServer(join(run, 'vnc.sock'), () => this.#env());
    this.#mark = `desktop:${run}`;
    this.#sizeFile = join(run, 'desktop.json');
    this.#size = readSize(this.#sizeFile);
  }

  /** Makes the display known to programs, without starting it. What a sandboxd before this one has left goes. */
  async offer(): Promise<void> {
    if (!this.#isFirst) await killTree((_found, mark) => (mark() === this.#mark ? true : null));
    await this.#socket.open();
  }

  info(): DesktopInfo {
    const { width, height } = this.#running?.size ?? this.#size;
    const running = this.#running !== null;
    return { running, width, height, display: DESKTOP.display, starts: this.#starts };
  }

  /** The size of the next start. @throws CodedError INVALID_ARGUMENT when it runs already, in another size. */
  setSize(size: DesktopSize): void {
    const now = this.#running?.size;
    if (now && (now.width !== size.width || now.height !== size.height)) {
      const found = `${size.width}x${size.height}`;
      const message = `size: expected that of the running desktop, ${now.width}x${now.height}; found ${found}.`;
      throw new CodedError('INVALID_ARGUMENT', message);
    }
    this.#size = size;
    writeFileSync(this.#sizeFile, JSON.stringify(size));
  }

  async start(): Promise<void> {
    await this.#up();
  }

  /** Calls the helper, starting what does not run. @throws CodedError DESKTOP_FAILED, and what the helper says. */
  async call(name: string, args: object, limitMs?: number): Promise<Answer> {
    const display = await this.#up();
    if (!display.helper.program.running) {
      display.helper = new Helper(display.framebuffer, this.#env());
    }
    await display.helper.ready;
    return display.helper.call(name, args, limitMs);
  }

  /** A connection to the VNC server. @throws CodedError DESKTOP_FAILED */
  async vnc(): Promise<Socket> {
    await this.#up();
    return this.#vnc.connect();
  }

  #env(): Record<string, string> {
    return this.#environment.of(this.#mark);
  }

  #up(): Promise<Display> {
    this.#display ??= this.#start().catch((error) => {
      this.#display = null;
      this.#socket.refuse();
      throw error;
    });
    return this.#display;
  }

  async #start(): Promise<Display> {
    const size = this.#size;
    const framebuffer = makeFramebuffer();
    // Left by a server that was killed; its number may be another program's by now.
    rmSync(LOCK, { force: true });
    const listening = await this.#socket.open();
    const server = new Program(
      [
        ...WITH_SOCKET,
        ...['Xvfb', DESKTOP.display, '-screen', '0', `${size.width}x${size.height}x24`],
        ...['-fbdir', framebuffer, '-nolisten', 'tcp', '-nolisten', 'unix', '-nolisten', 'local'],
        ...['-noreset', '-ac', '-dpi', '96'],
      ],
      this.#env(),
      ['ignore', 'ignore', 'pipe', listening],
    );
    this.#socket.handOver();
    // They connect at once and wait for the answer: starting them beside the server saves their own start-up.
    const helper = new Helper(join(framebuffer, 'Xvfb_screen0'), this.#env());
    const manager = keepRunning(() => new Program(MANAGER, this.#env()));
    const display: Display = { server, helper, size, framebuffer: join(framebuffer, 'Xvfb_screen0') };
    void server.ended.then(() => {
      manager.stop();
      display.helper.program.kill();
      this.#vnc.stop();
      if (this.#running === display) {
        this.#running = null;
        this.#display = null;
      }
      rmSync(framebuffer, { recursive: true, force: true });
      // The next program that wants a display starts it again.
      this.#socket.open().catch(() => {});
    });
    try {
      await Promise.race([usable(helper), server.ended.then(() => Promise.reject(server.failure()))]);
    } catch (error) {
      server.kill();
      throw error;
    }
    this.#running = display;
    this.#starts += 1;
    this.#socket.admit();
    return display;
  }
}

/**
 * Waits for the window manager as well: what opens a window while that starts can fall between the two, and waits 5 s
 * (X toolkit programs, for an answer that does not come).
 */
async function usable(helper: Helper): Promise<void> {
  await helper.ready;
  await helper.call('wait_manager', { timeout_ms: MANAGER_MS });
}

function makeFramebuffer(): string {
  for (const parent of [FRAMEBUFFER_PARENT, '/tmp']) {
    try {
      const folder = join(parent, '.desktop');
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { mode: 0o700 });
      return folder;
    } catch {
      // The next one.
    }
  }
  throw new CodedError('DESKTOP_FAILED', 'There is no folder that the screen could be kept in.');
}

function readSize(file: string): DesktopSize {
  try {
    return DesktopSize.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return DEFAULT_DESKTOP_SIZE;
  }
}
