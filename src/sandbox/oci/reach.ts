import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { CodedError } from '../../protocol/errors.ts';
import { SANDBOX_PATHS } from '../../protocol/sandboxd.ts';
import { ChannelStream } from '../channel-stream.ts';
import type { Channel } from '../driver.ts';
import { readPid } from './state.ts';
import type { SandboxPlace } from './store.ts';

/** Linux's flag for a handle that names a file and does nothing to it; Node.js has no name for it. */
const O_PATH = 0x20_0000;
const { O_NOFOLLOW, O_DIRECTORY } = constants;
/** How long sandboxd may take to listen. */
const GIVE_UP_MS = 20_000;
const PAUSE_MS = 2;

const SOCKETS: Record<Channel, string> = {
  api: SANDBOX_PATHS.apiSocket,
  egress: SANDBOX_PATHS.egressSocket,
};

/**
 * Connects to one of sandboxd's sockets from outside, through the root of the sandbox's first process: no relay.
 * Waits until sandboxd listens, 20 s at most.
 * @throws CodedError SANDBOX_LOST, SANDBOX_START_FAILED; the signal's reason.
 */
export async function reach(place: SandboxPlace, channel: Channel, signal?: AbortSignal): Promise<Duplex> {
  const end = Date.now() + GIVE_UP_MS;
  const pid = await readPid(place);
  if (pid === null) throw lost('it has no process');
  for (;;) {
    signal?.throwIfAborted();
    const socket = await reachOnce(place, pid, SOCKETS[channel]);
    if (socket && signal?.aborted) socket.destroy();
    else if (socket) return new ChannelStream(socket);
    else if (Date.now() > end) {
      throw new CodedError('SANDBOX_START_FAILED', `sandboxd does not listen after ${GIVE_UP_MS / 1000} s.`);
    } else await wait(PAUSE_MS, undefined, signal ? { signal } : {}).catch(() => {});
  }
}

/** Null where nothing listens there yet. */
async function reachOnce(place: SandboxPlace, pid: number, path: string): Promise<Socket | null> {
  const way = new Way();
  try {
    return await follow(way, place, pid, path);
  } finally {
    await way.close();
  }
}

async function follow(way: Way, place: SandboxPlace, pid: number, path: string): Promise<Socket | null> {
  const process = await way.open(`/proc/${pid}`, O_DIRECTORY).catch(() => null);
  // Once opened, it is this process or none: its number may be another's by now.
  const groups = process && (await readFile(within(process, 'cgroup'), 'latin1').catch(() => null));
  if (!process || !groups?.includes(`:${place.cgroup}\n`)) throw lost('its first process is gone');
  try {
    // What lies inside is the sandbox's own to rename and replace: no link is followed, each step goes from the last.
    let at = await way.open(within(process, 'root'), O_DIRECTORY);
    const [name = '', ...folders] = path.split('/').filter(Boolean).reverse();
    for (const folder of folders.reverse()) at = await way.open(within(at, folder), O_DIRECTORY | O_NOFOLLOW);
    const target = await way.open(within(at, name), O_NOFOLLOW);
    if (!(await target.stat()).isSocket()) return null;
    // The handle itself is what is connected to, whatever lies under its name by now.
    return await connected(`/proc/self/fd/${target.fd}`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_YET.has(String(error.code))) return null;
    throw error;
  }
}

/** What says that sandboxd has not come so far; also where something else lies in the way, which may be mended. */
const NOT_YET = new Set(['ENOENT', 'ECONNREFUSED', 'EAGAIN', 'ENOTDIR', 'ELOOP', 'EPROTOTYPE']);

/** The handles of one way through a file system. */
class Way {
  readonly #handles: FileHandle[] = [];

  async open(path: string, flags: number): Promise<FileHandle> {
    const handle = await open(path, O_PATH | flags);
    this.#handles.push(handle);
    return handle;
  }

  async close(): Promise<void> {
    await Promise.all(this.#handles.map((handle) => handle.close()));
  }
}

const within = ({ fd }: FileHandle, name: string): string => `/proc/self/fd/${fd}/${name}`;

async function connected(path: string): Promise<Socket> {
  const socket = connect({ path });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.removeAllListeners('error');
  return socket;
}

function lost(found: string): CodedError {
  return new CodedError('SANDBOX_LOST', `The sandbox is not running: ${found}`);
}
