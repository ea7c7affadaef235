import { z } from 'zod';

/**
 * The calls that sandboxd answers. A call is a stream of the connection's multiplexer (mux/mux.ts), opened for the call's path: the
 * caller sends one JSON frame (the arguments) and then, for calls that take bytes, data frames up to an empty one:
 * without it the bytes were cut. The answer is frames too.
 * A call has succeeded only when the last word of the answer says `ok`; another is an ErrorInfo as JSON; an answer
 * without one was cut.
 */
export const PROTOCOL_VERSION = 2;

/** Where things lie in a sandbox. `runtime` is read-only and self-contained; `run` belongs to the sandbox's user. */
export const SANDBOX_PATHS = {
  runtime: '/opt/sandboxd',
  run: '/run/sandboxd',
  apiSocket: '/run/sandboxd/api.sock',
  egressSocket: '/run/sandboxd/egress.sock',
  caBundle: '/run/sandboxd/ca-certificates.crt',
  workspace: '/workspace',
} as const;
/** Where sandboxd's HTTP and CONNECT proxy listens inside the sandbox. */
export const EGRESS_PROXY_PORT = 3128;

export const HelloResult = z.object({
  protocol: z.int(),
  version: z.string(),
  node: z.string(),
  uptime_ms: z.number(),
  /** How often sandboxd has been started in this sandbox: above 1, something killed it. */
  starts: z.int(),
  rss_bytes: z.int(),
});

const Env = z.record(z.string(), z.string());

/**
 * Starts a process and streams it: stdout as data frames, stderr frames, then `ended`; in the background just `started`.
 * Request data frames are its stdin.
 */
export const ProcessStart = z.object({
  /** Either argv, run as it is, or a line for `bash -c`. */
  argv: z.array(z.string()).min(1).optional(),
  shell: z.string().optional(),
  cwd: z.string().optional(),
  env: Env.optional(),
  /** Whether the request's data frames (in the background: those of process/input) are its stdin; otherwise stdin is /dev/null. */
  stdin: z.boolean().optional(),
  timeout_ms: z.int().positive().optional(),
  /** Go on when the caller goes; its output is kept (newest `keep_bytes` of each stream) for process/attach. */
  background: z.boolean().optional(),
});
export type ProcessStart = z.infer<typeof ProcessStart>;

export const ProcessStarted = z.object({ event: z.literal('started'), id: z.string(), pid: z.int() });
export const ProcessEnded = z.object({
  event: z.literal('ended'),
  /** Null when a signal ended it. */
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  timed_out: z.boolean(),
  /** Whether the engine's memory limit killed something while it ran. */
  oom_killed: z.boolean(),
  duration_ms: z.number(),
});
export type ProcessEnded = z.infer<typeof ProcessEnded>;

export const ProcessInfo = z.object({
  id: z.string(),
  pid: z.int(),
  command: z.string(),
  background: z.boolean(),
  started_ms_ago: z.number(),
  /** Null while it runs. */
  ended: ProcessEnded.nullable(),
  stdout_bytes: z.int(),
  stderr_bytes: z.int(),
});
export type ProcessInfo = z.infer<typeof ProcessInfo>;
export const ProcessList = z.object({ processes: z.array(ProcessInfo) });

/** Output of a background process from an offset of each stream; `follow` streams on until it ends. */
export const ProcessAttach = z.object({
  id: z.string(),
  stdout_from: z.int().min(0).default(0),
  stderr_from: z.int().min(0).default(0),
  follow: z.boolean().default(false),
});
/**
 * First answer of process/attach: where the streams that follow start, since the oldest bytes may be gone.
 * Comes again where a follower fell so far behind that bytes went before they could be sent, and at the end.
 */
export const ProcessAttached = z.object({
  event: z.literal('attached'),
  stdout_at: z.int(),
  stderr_at: z.int(),
  info: ProcessInfo,
});

export const ProcessSignal = z.object({
  id: z.string(),
  signal: z.enum([
    'SIGINT',
    'SIGTERM',
    'SIGKILL',
    'SIGHUP',
    'SIGQUIT',
    'SIGSTOP',
    'SIGCONT',
    'SIGUSR1',
    'SIGUSR2',
  ]),
  /** The whole tree, daemonised descendants included, or the process alone. */
  tree: z.boolean().default(true),
});
export const ProcessInput = z.object({ id: z.string(), end: z.boolean().default(false) });

/** Runs a command in a lasting bash session: directory, variables and functions stay. Streams like process/start. */
export const ShellRun = z.object({
  /** Sessions are made at first use. */
  session: z.string().max(64).default('main'),
  command: z.string(),
  timeout_ms: z.int().positive().optional(),
  /** Added to the session's environment when it is made (or made again). */
  env: Env.optional(),
});
export type ShellRun = z.infer<typeof ShellRun>;
export const ShellEnded = ProcessEnded.extend({
  cwd: z.string(),
  /** Whether the session had to be started anew: the directory is kept, variables and functions are gone. */
  restarted: z.boolean(),
});
export type ShellEnded = z.infer<typeof ShellEnded>;

export const FileType = z.enum(['file', 'directory', 'symlink', 'fifo', 'socket', 'device']);
export const FileInfo = z.object({
  path: z.string(),
  type: FileType,
  size: z.int(),
  /** Permission bits, such as 0o644. */
  mode: z.int(),
  modified: z.iso.datetime(),
  /** Where a symlink points, as it is written. */
  target: z.string().nullable(),
});
export type FileInfo = z.infer<typeof FileInfo>;

/** Paths of file calls are absolute, or relative to the workspace. */
export const FilePath = z
  .string()
  .min(1)
  .max(4_096)
  .refine((path) => !path.includes('\0'));
/** Answers a FileInfo, then the bytes as data frames. Only regular files (symlinks are followed). */
export const FileRead = z.object({
  path: FilePath,
  offset: z.int().min(0).default(0),
  length: z.int().min(0).optional(),
});
/** Takes the bytes as data frames; written beside and renamed into place, missing folders made. */
export const FileWrite = z.object({
  path: FilePath,
  mode: z.int().min(0).max(0o7777).optional(),
  append: z.boolean().default(false),
});
export const FileStat = z.object({ path: FilePath });
/** `depth` 1 lists one folder; entries come sorted, at most `limit`. */
export const FileList = z.object({
  path: FilePath,
  depth: z.int().min(1).max(64).default(1),
  limit: z.int().min(1).max(100_000).default(10_000),
});
export const FileListing = z.object({ entries: z.array(FileInfo), truncated: z.boolean() });
export const FileMove = z.object({ from: FilePath, to: FilePath, overwrite: z.boolean().default(false) });
export const FileRemove = z.object({ path: FilePath, recursive: z.boolean().default(false) });
export const FileMkdir = z.object({ path: FilePath, mode: z.int().min(0).max(0o7777).optional() });
export const Nothing = z.object({});

/**
 * Streams a folder: for each entry a JSON frame (ArchiveEntry, and for files their bytes as data frames up to the
 * next JSON frame, `file_end`), last `archive_end`. Symlinks are told, never followed; excluded folders are not entered.
 */
export const Archive = z.object({
  root: FilePath,
  include: z.array(z.string()),
  exclude: z.array(z.string()),
});
export const ArchiveMessage = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('entry'),
    path: z.string(),
    type: z.enum(['file', 'directory', 'symlink']),
    size: z.int(),
    mode: z.int(),
    modified: z.iso.datetime(),
    target: z.string().nullable(),
  }),
  z.object({ event: z.literal('file_end'), complete: z.boolean() }),
  z.object({
    event: z.literal('left_out'),
    path: z.string(),
    reason: z.enum(['excluded', 'not_included', 'special_file', 'unreadable']),
  }),
  z.object({ event: z.literal('archive_end'), entries: z.int() }),
]);
export type ArchiveMessage = z.infer<typeof ArchiveMessage>;

/** Path of every call, with what it takes and gives. */
export const CALLS = {
  hello: '/v1/hello',
  processStart: '/v1/process/start',
  processAttach: '/v1/process/attach',
  processList: '/v1/process/list',
  processSignal: '/v1/process/signal',
  processInput: '/v1/process/input',
  shellRun: '/v1/shell/run',
  fileRead: '/v1/file/read',
  fileWrite: '/v1/file/write',
  fileStat: '/v1/file/stat',
  fileList: '/v1/file/list',
  fileMove: '/v1/file/move',
  fileRemove: '/v1/file/remove',
  fileMkdir: '/v1/file/mkdir',
  archive: '/v1/archive',
} as const;
