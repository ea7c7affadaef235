import { CALLS, FileInfo, FileListing, Nothing, ProcessList } from '../../protocol/sandboxd.ts';
import type { Driver, SandboxHandle } from '../driver.ts';
import type { CallOptions, Sandbox } from '../sandbox.ts';
import { callForOne } from './answer.ts';
import { archive } from './archive.ts';
import { asBytes } from './as-bytes.ts';
import { attach } from './attach.ts';
import { connectDesktop } from './desktop.ts';
import { keepEgress, type ServeEgress } from './egress-channel.ts';
import { exec } from './exec.ts';
import { hello } from './hello.ts';
import { kernels } from './kernels.ts';
import { Link } from './link.ts';
import { listPorts, openPort } from './ports.ts';
import { read } from './read.ts';
import { shell } from './shell.ts';
import { spawn } from './spawn.ts';
import { terminalsOf } from './terminals.ts';
import { watch } from './watch.ts';
import { write } from './write.ts';

export interface ConnectOptions {
  /** Serves the sandbox's way out, each time that its channel is opened; without it the sandbox has none. */
  egress?: ServeEgress;
  /** Ends connecting; the connection that came of it is not affected. */
  signal?: AbortSignal;
}

/**
 * Connects to the sandboxd of a sandbox that exists, over whichever engine.
 * @throws CodedError SANDBOX_LOST when it is gone or does not answer for 15 s; the signal's reason.
 */
export async function connectSandbox(
  driver: Pick<Driver, 'connect'>,
  handle: SandboxHandle,
  options: ConnectOptions = {},
): Promise<Sandbox> {
  const link = new Link(driver, handle);
  const egress = options.egress ? keepEgress(driver, handle, options.egress, link.over) : null;
  async function close(): Promise<void> {
    await link.close();
    await egress;
  }
  try {
    await link.session(options.signal);
  } catch (error) {
    await close();
    throw error;
  }

  async function call(path: string, args: object, { signal }: CallOptions = {}): Promise<void> {
    await callForOne(await link.session(signal), { path, args, signal }, Nothing);
  }
  return {
    id: handle.id,
    lost: link.lost,
    close,
    hello: async ({ signal } = {}) => hello(await link.session(signal), signal),
    exec: (request, options) => exec(link, request, options),
    spawn: (request, options) => spawn(link, request, options),
    attach: (request, options) => attach(link, request, options),
    async processes({ signal } = {}) {
      const request = { path: CALLS.processList, args: {}, signal };
      return (await callForOne(await link.session(signal), request, ProcessList)).processes;
    },
    signal: (id, signal, options) => call(CALLS.processSignal, { id, signal }, options),
    async input({ id, bytes, end }, { signal } = {}) {
      const input = asBytes(bytes ?? Buffer.alloc(0));
      const request = { path: CALLS.processInput, args: { id, end: end ?? false }, input, signal };
      await callForOne(await link.session(signal), request, Nothing);
    },
    shell: (request, options) => shell(link, request, options),
    kernels: kernels(link),
    stat: async (path, { signal } = {}) =>
      callForOne(await link.session(signal), { path: CALLS.fileStat, args: { path }, signal }, FileInfo),
    list: async (path, { signal, depth, limit } = {}) =>
      callForOne(
        await link.session(signal),
        { path: CALLS.fileList, args: { path, depth, limit }, signal },
        FileListing,
      ),
    read: (path, options) => read(link, path, options),
    write: (path, bytes, options) => write(link, path, bytes, options),
    move: (from, to, options = {}) =>
      call(CALLS.fileMove, { from, to, overwrite: options.overwrite }, options),
    remove: (path, options = {}) => call(CALLS.fileRemove, { path, recursive: options.recursive }, options),
    mkdir: (path, options = {}) => call(CALLS.fileMkdir, { path, mode: options.mode }, options),
    watch: (path, options) => watch(link, path, options),
    desktop: connectDesktop(link),
    archive: (request, options) => archive(link, request, options),
    openPort: (port, options) => openPort(link, port, options),
    ports: (options) => listPorts(link, options),
    terminals: terminalsOf(link),
  };
}
