import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Logger, pino } from 'pino';
import { inject } from 'vitest';
import { type Config, readConfig } from '../../src/config.ts';
import { newId } from '../../src/protocol/ids.ts';
import { type EmbeddedPostgres, startEmbedded } from '../../src/store/embedded/start-embedded.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { testInstallation } from './run-id.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server that all tests share; each takes a database of its own. */
    postgres: EmbeddedPostgres['connection'];
  }
}

const TEMPLATE = 'template_store';
const silent = pino({ level: 'silent' });

/**
 * Starts the PostgreSQL that the tests of a run share, with a template that has the tables already. For vitest's global
 * setup, which provides `connection` as `postgres`.
 */
export async function startTestDatabase(): Promise<{
  connection: EmbeddedPostgres['connection'];
  stop(): Promise<void>;
}> {
  const dataDir = await mkdtemp(join(tmpdir(), 'agent-test-'));
  const server = await startEmbedded({ dataDir, log: silent });
  const stop = async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await query(server.connection, `create database ${TEMPLATE}`);
    const config = readConfig({ DATA_DIR: dataDir, DATABASE_URL: urlOf(server.connection, TEMPLATE) });
    await (await openStore(config, silent)).close();
    return { connection: server.connection, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export interface TestStore {
  store: Store;
  /** The settings that it was opened with; opening another store with them gives a second process's view. */
  config: Config;
  close(): Promise<void>;
}

/** A store on a fresh database and in a fresh folder. `env` are settings. */
export async function openTestStore(
  env: Record<string, string> = {},
  log: Logger = silent,
): Promise<TestStore> {
  const connection = inject('postgres');
  const database = `test_${newId()}`;
  await query(connection, `create database ${database} template ${TEMPLATE}`);
  // Of its own, not the template's: tests side by side must not take each other's sandboxes for their own.
  await query({ ...connection, database }, `update installation set id = '${testInstallation()}'`);
  const dataDir = await mkdtemp(join(tmpdir(), 'agent-test-'));
  const config = readConfig({ DATA_DIR: dataDir, DATABASE_URL: urlOf(connection, database), ...env });
  const store = await openStore(config, log);
  return {
    store,
    config,
    async close() {
      await store.close();
      await query(connection, `drop database ${database} with (force)`);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A database with nothing in it. */
export async function createEmptyDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const connection = inject('postgres');
  const database = `test_${newId()}`;
  await query(connection, `create database ${database}`);
  const drop = () => query(connection, `drop database ${database} with (force)`);
  return { url: urlOf(connection, database), drop };
}

function urlOf({ host, port, user }: EmbeddedPostgres['connection'], database: string): string {
  return `postgres://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
}

async function query(connection: EmbeddedPostgres['connection'], text: string): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
