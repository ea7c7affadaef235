import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Kysely, PostgresDialect } from 'kysely';
import type { Logger } from 'pino';
import { newId } from '../protocol/ids.ts';
import { openArtifactsFolder } from './artifacts/folder.ts';
import { sweepTemporary } from './artifacts/sweep-temporary.ts';
import { startEmbedded } from './embedded/start-embedded.ts';
import { migrate } from './migrate.ts';
import { openNotifications } from './notifications.ts';
import { type Connection, createPool, mappedPool } from './pool.ts';
import { openQueue } from './queue/open-queue.ts';
import { openSecretBox } from './secrets.ts';
import type { Store, StoreConfig } from './store.ts';
import { asStoreError } from './store-error.ts';
import type { Tables } from './tables.ts';

/** How old what is half written has to be: with a shared folder, another process may be writing it. */
const ABANDONED_MS = 86_400_000;

/**
 * Opens the store: starts (or adopts) the embedded PostgreSQL where there is no DATABASE_URL, brings the tables up to
 * date, and, where no other process can be alive, releases what a crash left held.
 * What was opened is closed again when a later part fails.
 * @throws CodedError STORE_UNAVAILABLE; ServerRunning when another server has this DATA_DIR; EmbeddedError for what
 * the embedded database lacks.
 */
export async function openStore(config: StoreConfig, log: Logger): Promise<Store> {
  const opened = new AsyncDisposableStack();
  try {
    await mkdir(config.DATA_DIR, { recursive: true, mode: 0o700 });
    const singleNode = config.DATABASE_URL === undefined;
    const secrets = await openSecretBox(config);
    const connection = await connect(config, log, opened);
    await migrate(connection);
    const pool = createPool(connection, log);
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: mappedPool(pool) }) });
    opened.defer(() => pool.end());
    const notifications = await openNotifications(connection, log);
    opened.defer(() => notifications.close());
    const queue = await openQueue({ db, pool, notifications, log });
    opened.defer(() => queue.close());
    if (singleNode) {
      const released = await queue.releaseAbandoned();
      if (released > 0)
        log.info({ released }, 'jobs that an earlier run left under way are in the queue again');
    }
    const folder = join(config.DATA_DIR, 'artifacts');
    const artifacts = await openArtifactsFolder(folder);
    await sweepTemporary(folder, new Date(Date.now() - (singleNode ? 0 : ABANDONED_MS)));
    const installation = await readInstallation(db);
    const parts = opened.move();
    const close = () => parts.disposeAsync();
    return { db, artifacts, notifications, queue, secrets, config, log, installation, singleNode, close };
  } catch (error) {
    await opened.disposeAsync();
    throw asStoreError(error);
  }
}

async function connect(config: StoreConfig, log: Logger, opened: AsyncDisposableStack): Promise<Connection> {
  if (config.DATABASE_URL !== undefined) return { connectionString: config.DATABASE_URL };
  const postgres = await startEmbedded({ dataDir: config.DATA_DIR, log });
  opened.defer(() => postgres.stop());
  return postgres.connection;
}

/** The installation's id, made by whoever opens the database first. */
async function readInstallation(db: Kysely<Tables>): Promise<string> {
  await db
    .insertInto('installation')
    .values({ id: newId() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return (await db.selectFrom('installation').select('id').executeTakeFirstOrThrow()).id;
}
