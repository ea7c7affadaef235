import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import { prepareInvocation } from './cluster.ts';
import { EmbeddedError } from './embedded-error.ts';
import { isPostmasterOf, type Postmaster, readPostmaster } from './postmaster-pid.ts';
import { until } from './processes.ts';
import { boundLog, logTail } from './server-log.ts';
import { makeSocketFolder, removeSocketFolder } from './socket-folder.ts';

const PORT = 5432;
/** Recovery after a crash may have much to do. */
const START_TIMEOUT_MS = 120_000;
/** After a crash the kernel may take a moment to let go of the old server's memory. */
const RETRY_MS = 15_000;
const STILL_THERE = /pre-existing shared memory block|lock file "postmaster.pid" already exists/;

/** Where the parts of one embedded database are. */
export interface Place {
  /** PostgreSQL's data folder. */
  folder: string;
  logPath: string;
  binaries: Binaries;
  account: Account | null;
  /** Where the socket has to be, for those who are connected to be able to come again; else it is a new folder. */
  socketFolder?: string;
}

const SETTINGS: Record<string, string> = {
  listen_addresses: '',
  port: String(PORT),
  unix_socket_permissions: '0700',
  max_connections: '100',
  shared_buffers: '64MB',
  huge_pages: 'off',
  max_wal_size: '512MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  max_worker_processes: '4',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'off',
  log_checkpoints: 'off',
  log_min_messages: 'warning',
  // A failed statement may hold what a user sent.
  log_min_error_statement: 'panic',
  log_parameter_max_length: '0',
};

/**
 * Starts the server of a data folder and waits until it takes connections. It is a process of its own that outlives
 * this one when that is killed.
 * @throws EmbeddedError with the end of its log.
 */
export async function startPostmaster(place: Place, log: Logger): Promise<Postmaster> {
  const end = performance.now() + RETRY_MS;
  for (;;) {
    try {
      return await tryStart(place);
    } catch (error) {
      const again = error instanceof EmbeddedError && STILL_THERE.test(error.message);
      if (!again || performance.now() > end) throw error;
      log.info('the memory of a PostgreSQL that was killed is still there; the start is tried again');
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

async function tryStart(place: Place): Promise<Postmaster> {
  const { folder, logPath, binaries, account } = place;
  // What a killed server left: its file says where its socket was.
  const before = await readPostmaster(folder);
  if (before && before.socketFolder !== place.socketFolder) await removeSocketFolder(before.socketFolder);
  await boundLog(logPath);
  const socketFolder = await makeSocketFolder(account, place.socketFolder);
  const invocation = await prepareInvocation(folder, account);
  const output = await open(logPath, 'a', 0o600);
  const settings = {
    ...SETTINGS,
    unix_socket_directories: socketFolder,
    ...(binaries.major >= 18 && { io_method: 'sync' }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let failed: string | null = null;
  try {
    const child = spawn(join(binaries.bin, 'postgres'), ['-D', invocation.folder, ...flags], {
      ...invocation.options,
      stdio: ['ignore', output.fd, output.fd, invocation.folderFd],
    });
    child.once('error', (error) => {
      failed = error.message;
    });
    child.once('exit', (code, signal) => {
      failed ??= `it ended (${signal ?? code})`;
    });
    child.unref();
    const ready = await until(async () => {
      if (failed !== null) return true;
      const found = await readPostmaster(folder);
      return found?.pid === child.pid && found?.ready === true && (await isPostmasterOf(found.pid, folder));
    }, START_TIMEOUT_MS);
    if (ready && failed === null && child.pid !== undefined) {
      return { pid: child.pid, port: PORT, socketFolder, ready: true };
    }
    if (!ready) child.kill('SIGINT');
  } finally {
    await invocation.close();
    await output.close();
  }
  await removeSocketFolder(socketFolder);
  const why = failed ?? `it took no connections within ${START_TIMEOUT_MS / 1_000} s`;
  throw new EmbeddedError(
    `PostgreSQL ${binaries.version} could not be started on ${folder}: ${why}. Its log (${logPath}) ends with:\n${await logTail(logPath)}`,
  );
}
