import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import { asStoreError } from './store-error.ts';

/** Where the database is: a URL, or the folder of a Unix socket. */
export type Connection =
  | { connectionString: string }
  | { host: string; port: number; user: string; database: string };

const MAX_CONNECTIONS = 20;
const INT8_OID = 20;

/** Settings of every connection: no statement, and no transaction left open, may hold on to it for ever. */
export function clientConfig(connection: Connection): pg.ClientConfig {
  return {
    ...connection,
    application_name: `containerized-agent ${process.pid}`,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 30_000,
    // A little longer than the server's own: it ends what waits on a connection that died in silence.
    query_timeout: 35_000,
    lock_timeout: 15_000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    types: {
      // Sums and sizes here stay far below 2^53.
      getTypeParser: ((oid: number, format?: 'text') =>
        oid === INT8_OID ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  };
}

/** A pool that outlives a database which goes away: connections that break while idle are logged and replaced. */
export function createPool(connection: Connection, log: Logger): pg.Pool {
  const pool = new pg.Pool({ ...clientConfig(connection), max: MAX_CONNECTIONS, idleTimeoutMillis: 60_000 });
  pool.on('error', (error) => log.warn({ err: error }, 'an idle connection to the database broke'));
  // An error on a connection in use also rejects its query; unheard, it would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** The pool as kysely takes it, its errors told apart by {@link asStoreError}. */
export function mappedPool(pool: pg.Pool): PostgresPool {
  const wrapped = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await mapped(() => pool.connect());
      let wrapper = wrapped.get(client);
      if (!wrapper) {
        wrapper = wrapClient(client);
        wrapped.set(client, wrapper);
      }
      return wrapper;
    },
  } as PostgresPool;
}

function wrapClient(client: pg.PoolClient): PostgresPoolClient {
  let broken: Error | undefined;
  const query = (...args: unknown[]) =>
    mapped(async () => {
      try {
        return await (client.query as (...all: unknown[]) => Promise<unknown>)(...args);
      } catch (error) {
        // An error without an SQLSTATE is the connection's: it must not go back to the pool.
        if (error instanceof Error && !(error instanceof pg.DatabaseError)) broken = error;
        throw error;
      }
    });
  return { query, release: () => client.release(broken) } as unknown as PostgresPoolClient;
}

async function mapped<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStoreError(error);
  }
}
