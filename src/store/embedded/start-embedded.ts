import { mkdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Logger } from 'pino';
import { type Connection, clientConfig } from '../pool.ts';
import { findAccount } from './account.ts';
import { findBinaries } from './binaries.ts';
import { clusterMajor, createCluster, USER } from './cluster.ts';
import { lockData } from './data-lock.ts';
import { isPostmasterOf, type Postmaster, readPostmaster } from './postmaster-pid.ts';
import { until } from './processes.ts';
import { reachableBinaries } from './reachable-binaries.ts';
import { removeSocketFolder } from './socket-folder.ts';
import { type Place, startPostmaster } from './start-postmaster.ts';
import { stopPostmaster } from './stop-postmaster.ts';
import { watchPostmaster } from './watch-postmaster.ts';

const ADOPT_TIMEOUT_MS = 120_000;

export interface EmbeddedPostgres {
  connection: Exclude<Connection, { connectionString: string }>;
  /** Process id of the server now. */
  pid(): number;
  /** Whether it was left running by an earlier process. */
  adopted: boolean;
  /** PostgreSQL's version. */
  version: string;
  /** Stops it in order; what is under way is rolled back. */
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL of a data folder, which it makes when there is none, or adopts the one that an earlier process
 * left running. While it is open, one that dies is started again on the same socket.
 * @throws ServerRunning when another process has the folder; EmbeddedError for what is missing, and what to do.
 */
export async function startEmbedded({
  dataDir,
  log,
}: {
  dataDir: string;
  log: Logger;
}): Promise<EmbeddedPostgres> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const root = await realpath(dataDir);
  const unlock = await lockData(root);
  try {
    const folder = join(root, 'postgres');
    const place = await prepare(folder, join(root, 'postgres.log'), log);
    const running = await findRunning(folder);
    const started = running ?? (await startPostmaster(place, log));
    const { socketFolder: host, port } = started;
    const connection = { host, port, user: USER, database: 'postgres' };
    await checkAnswers(connection);
    if (running) log.info({ pid: running.pid }, 'adopted the PostgreSQL that an earlier run left');
    const watch = watchPostmaster(started, place, log);
    const stop = async () => {
      await watch.end();
      const { pid } = watch.current();
      await stopPostmaster(pid, folder);
      await removeSocketFolder(host);
      await unlock();
    };
    const { version } = place.binaries;
    return { connection, pid: () => watch.current().pid, adopted: running !== null, version, stop };
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function prepare(folder: string, logPath: string, log: Logger): Promise<Place> {
  const major = await clusterMajor(folder);
  const owner = await stat(folder).catch(() => null);
  const account = await findAccount(owner?.uid ?? null);
  const found = await findBinaries(major);
  const binaries = account ? await reachableBinaries(found) : found;
  if (major === null) {
    log.info({ version: binaries.version, as: account?.name }, 'making the data folder of PostgreSQL');
    await createCluster(folder, binaries, account);
  }
  return { folder, logPath, binaries, account };
}

/** The server that runs on the folder already, once it takes connections. */
async function findRunning(folder: string): Promise<Postmaster | null> {
  let found: Postmaster | null = null;
  await until(async () => {
    found = await readPostmaster(folder);
    if (!found || !(await isPostmasterOf(found.pid, folder))) {
      found = null;
      return true;
    }
    return found.ready;
  }, ADOPT_TIMEOUT_MS);
  return found;
}

async function checkAnswers(connection: EmbeddedPostgres['connection']): Promise<void> {
  const client = new pg.Client(clientConfig(connection));
  await client.connect();
  await client.end();
}
