import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Artifacts } from './artifacts/artifacts.ts';
import type { Notifications } from './notifications.ts';
import type { Queue } from './queue/queue.ts';
import type { SecretBox } from './secrets.ts';
import type { Db } from './tables.ts';

/** The settings that the store reads. */
export type StoreConfig = Pick<
  Config,
  | 'DATABASE_URL'
  | 'DATA_DIR'
  | 'SECRETS_KEY'
  | 'MAX_LOG_MB'
  | 'MAX_QUEUED_JOBS'
  | 'QUEUE_TIMEOUT_S'
  | 'WAITING_TIMEOUT_S'
  | 'RETENTION_DAYS'
>;

/**
 * The opened store. Its verbs are the functions of this folder, one file each; they take it first.
 * Any of them fails with CodedError STORE_UNAVAILABLE while the database cannot be reached, and works again afterwards.
 */
export interface Store {
  db: Db;
  artifacts: Artifacts;
  notifications: Notifications;
  queue: Queue;
  secrets: SecretBox;
  config: StoreConfig;
  log: Logger;
  /** The id of the installation, made once for each database. */
  installation: string;
  /** True for the embedded database: this process is the only one on it. */
  singleNode: boolean;
  /** Lets go of everything; the embedded PostgreSQL is stopped. */
  close(): Promise<void>;
}
