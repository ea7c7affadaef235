import type { ColumnType, Generated, Kysely, Transaction } from 'kysely';
import type { JobStatus, LogType } from '../protocol/job.ts';

/** JSON goes in as text, so that one place ({@link toJson}) decides what may be in it, and comes out parsed. */
type Json = ColumnType<unknown, string, string>;
type NullableJson = ColumnType<unknown, string | null, string | null>;
type Time = ColumnType<Date, Date, Date>;

interface JobsTable {
  id: string;
  status: JobStatus;
  prompt: string;
  env: Json;
  files: Json;
  request: Json;
  labels: Json;
  priority: number;
  created: Time;
  started: Date | null;
  completed: Date | null;
  error: NullableJson;
  attempt: Generated<number>;
  lost_attempts: Generated<number>;
  worker_id: string | null;
  sandbox: NullableJson;
  steps: Generated<number>;
  input_tokens: Generated<number>;
  cached_input_tokens: Generated<number>;
  output_tokens: Generated<number>;
  cost_usd: ColumnType<number | null, number | null | undefined, number | null>;
  waited_ms: Generated<number>;
  waiting_since: Date | null;
  pause_requested: Generated<boolean>;
  output: NullableJson;
  output_expired: Generated<boolean>;
  cleared: Generated<boolean>;
  last_seq: Generated<number>;
  secrets: Buffer | null;
  queued: Date | null;
  delivery_id: string | null;
}

interface LogChunksTable {
  job_id: string;
  type: LogType;
  start: number;
  bytes: Buffer;
}

/** The columns of src/store/migrations. */
export interface Tables {
  installation: { only_one: Generated<boolean>; id: string; created: Generated<Date> };
  jobs: JobsTable;
  events: { job_id: string; seq: number; time: Time; type: string; data: Json };
  logs: { job_id: string; type: LogType; size: Generated<number>; dropped: Generated<number> };
  log_chunks: LogChunksTable;
  log_tails: LogChunksTable;
  idempotency_keys: { key: string; body_hash: string; job_id: string; created: Generated<Date> };
  desktop_control: { job_id: string; token_hash: Buffer; holder: string; taken: Date; expires: Date };
  sandbox_leases: {
    job_id: string;
    idle_s: number;
    expires: Time;
    ends: Time;
    ready: ColumnType<Date | null, null, Date>;
  };
  workers: { id: string; started: Generated<Date>; heartbeat: Generated<Date>; info: Json };
}

/** The database, within a transaction or without. */
export type Db = Kysely<Tables>;
export type Trx = Transaction<Tables>;
