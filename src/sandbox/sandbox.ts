import type { Duplex, Readable } from 'node:stream';
import type { z } from 'zod';
import type { ListeningPort } from '../protocol/ports.ts';
import type {
  ArchiveMessage,
  FileInfo,
  HelloResult,
  ProcessEnded,
  ProcessInfo,
  ShellEnded,
} from '../protocol/sandboxd.ts';
import type { WatchMessage } from '../protocol/watch.ts';
import type { CallOptions } from './call-options.ts';
import type { Desktop } from './desktop.ts';
import type { Kernels } from './kernels.ts';
import type { Terminals } from './terminals.ts';

export type { CallOptions };

export interface OutputOptions extends CallOptions {
  /** Called with each piece of output, in order within a stream; a promise holds the stream back. */
  onOutput?: (stream: 'stdout' | 'stderr', bytes: Buffer) => void | Promise<void>;
}

export interface ExecRequest {
  argv?: string[];
  shell?: string;
  cwd?: string;
  env?: Record<string, string>;
  stdin?: AsyncIterable<Buffer> | Buffer;
  timeoutMs?: number;
}

/** What a live sandbox can do, over whichever engine. Failures are CodedErrors with the codes of sandboxd's calls. */
export interface Sandbox {
  readonly id: string;
  hello(options?: CallOptions): Promise<z.infer<typeof HelloResult>>;
  /** Runs a process to its end, streaming its output. */
  exec(request: ExecRequest, options?: OutputOptions): Promise<ProcessEnded>;
  /** Starts a process that outlives the call; returns its id. */
  spawn(request: Omit<ExecRequest, 'stdin'>, options?: CallOptions): Promise<{ id: string; pid: number }>;
  /**
   * What a background process has printed from these offsets on, up to what is kept; with `follow`, until it ends.
   * Gives the offsets to go on from: where they are further on than what came, older bytes had gone.
   */
  attach(
    request: { id: string; stdoutFrom?: number; stderrFrom?: number; follow?: boolean },
    options?: OutputOptions,
  ): Promise<{ info: ProcessInfo; stdoutAt: number; stderrAt: number }>;
  processes(options?: CallOptions): Promise<ProcessInfo[]>;
  signal(id: string, signal: NodeJS.Signals, options?: CallOptions): Promise<void>;
  /** Writes to the stdin of a background process. */
  input(request: { id: string; bytes?: Buffer; end?: boolean }, options?: CallOptions): Promise<void>;
  /** Runs a command in the lasting shell session of that name. */
  shell(
    request: { command: string; session?: string; timeoutMs?: number; env?: Record<string, string> },
    options?: OutputOptions,
  ): Promise<ShellEnded>;
  readonly kernels: Kernels;
  stat(path: string, options?: CallOptions): Promise<FileInfo>;
  list(
    path: string,
    options?: CallOptions & { depth?: number; limit?: number },
  ): Promise<{ entries: FileInfo[]; truncated: boolean }>;
  /** A regular file's bytes as a stream that fails (never just ends) when it is cut. */
  read(
    path: string,
    options?: CallOptions & { offset?: number; length?: number },
  ): Promise<{ info: FileInfo; bytes: Readable }>;
  /** Writes a file whole or not at all (append excepted), making missing folders. */
  write(
    path: string,
    bytes: AsyncIterable<Buffer> | Buffer | string,
    options?: CallOptions & { mode?: number; append?: boolean },
  ): Promise<FileInfo>;
  move(from: string, to: string, options?: CallOptions & { overwrite?: boolean }): Promise<void>;
  remove(path: string, options?: CallOptions & { recursive?: boolean }): Promise<void>;
  mkdir(path: string, options?: CallOptions & { mode?: number }): Promise<void>;
  /**
   * What changes below a folder: first `watching`, then changes as they come; without an end.
   * @throws CodedError WATCH_TOO_LARGE; PATH_NOT_FOUND also when the folder goes.
   */
  watch(
    path: string,
    options?: CallOptions & { recursive?: boolean; exclude?: readonly string[] },
  ): AsyncIterable<WatchMessage>;
  readonly desktop: Desktop;
  /** The entries of a folder in order, each file's bytes between its entry and its `file_end`. */
  archive(
    request: { root: string; include: string[]; exclude: string[] },
    options?: CallOptions,
  ): AsyncIterable<ArchiveMessage | Buffer>;
  /**
   * Connects to a port of its loopback: bytes both ways, each side's end told to the other, failing when it was cut.
   * @throws CodedError PORT_NOT_OPEN
   */
  openPort(port: number, options?: CallOptions): Promise<Duplex>;
  /** The TCP ports that programs inside listen on, in order. */
  ports(options?: CallOptions): Promise<ListeningPort[]>;
  readonly terminals: Terminals;
  /** Resolves when the sandbox is lost for good, with why; never rejects. */
  readonly lost: Promise<string>;
  /** Lets go of the connection; the sandbox goes on. */
  close(): Promise<void>;
}
