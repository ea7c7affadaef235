import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';
import { type Connection, clientConfig, mappedPool } from './pool.ts';
import type { Tables } from './tables.ts';

const FOLDER = join(import.meta.dirname, 'migrations');
const OLDEST_MAJOR = 14;

/**
 * Brings the database to this version's tables, one process at a time. On a connection of its own, without time limits:
 * a large table may take longer than any request may.
 * @throws when a migration fails (nothing of it stays), or the database is newer than this program, or its PostgreSQL too old.
 */
export async function migrate(connection: Connection): Promise<void> {
  const unlimited = { query_timeout: 0, statement_timeout: 0, lock_timeout: 0 };
  const pool = new pg.Pool({ ...clientConfig(connection), ...unlimited, max: 1 });
  pool.on('error', () => {});
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: mappedPool(pool) }) });
  try {
    await checkVersion(db);
    const migrator = new Migrator({ db, provider: { getMigrations: readMigrations } });
    const { error } = await migrator.migrateToLatest();
    if (error) throw error;
  } finally {
    await pool.end();
  }
}

async function checkVersion(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<{ version: string; major: number }>`
    select current_setting('server_version') as version,
      current_setting('server_version_num')::int / 10000 as major`.execute(db);
  const [found] = rows;
  if (found && found.major >= OLDEST_MAJOR) return;
  throw new Error(
    `expected PostgreSQL ${OLDEST_MAJOR} or newer at DATABASE_URL; found ${found?.version}. Upgrade it, or unset DATABASE_URL to use the embedded one.`,
  );
}

async function readMigrations(): Promise<Record<string, Migration>> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort();
  const migrations = names.map(async (name): Promise<[string, Migration]> => {
    const text = await readFile(join(FOLDER, name), 'utf8');
    const up: Migration['up'] = async (db) => {
      await sql.raw(text).execute(db);
    };
    return [name.replace(/\.sql$/, ''), { up }];
  });
  return Object.fromEntries(await Promise.all(migrations));
}
