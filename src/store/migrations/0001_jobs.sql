-- One row: which installation this database belongs to. Drivers label sandboxes with its id.
create table installation (
  only_one boolean primary key default true check (only_one),
  id text not null,
  created timestamptz not null default now()
);

create table jobs (
  id text collate "C" primary key,
  status text not null check (status in ('scheduled', 'running', 'waiting', 'complete', 'failed', 'cancelled')),
  -- The accepted request in parts, so that a listing need not read what may be large. json, not jsonb, where
  -- the order of members is to stay as it was given.
  prompt text not null,
  env json not null,
  files json not null,
  request json not null,
  labels jsonb not null,
  priority integer not null,
  created timestamptz not null,
  started timestamptz,
  completed timestamptz,
  error json,
  attempt integer not null default 0,
  -- Attempts lost one after the other without a step done in between.
  lost_attempts integer not null default 0,
  worker_id text,
  sandbox json,
  steps integer not null default 0,
  input_tokens bigint not null default 0,
  cached_input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  cost_usd double precision default 0,
  waited_ms bigint not null default 0,
  waiting_since timestamptz,
  pause_requested boolean not null default false,
  output json,
  output_expired boolean not null default false,
  -- Whether retention has taken its output, inputs and logs.
  cleared boolean not null default false,
  last_seq integer not null default 0,
  -- Encrypted, and gone once the job has ended.
  secrets bytea,
  -- Since when it has been waiting for a worker, and the queue's entry for it.
  queued timestamptz,
  delivery_id uuid,
  check ((status in ('complete', 'failed', 'cancelled')) = (completed is not null)),
  check (completed is null or secrets is null)
);
create index jobs_status on jobs (status, id);
create index jobs_labels on jobs using gin (labels);
create index jobs_completed on jobs (completed, cleared) where completed is not null;
create index jobs_delivery on jobs (delivery_id) where delivery_id is not null;

create table events (
  job_id text collate "C" not null references jobs on delete cascade,
  seq integer not null,
  time timestamptz not null,
  type text not null,
  data json not null,
  primary key (job_id, seq)
);

-- `size` is the length of what `log_chunks` holds; `dropped` counts the bytes that came after the cap,
-- of which the newest are in `log_tails` until the job ends.
create table logs (
  job_id text collate "C" not null references jobs on delete cascade,
  type text not null check (type in ('stdout', 'stderr')),
  size bigint not null default 0,
  dropped bigint not null default 0,
  primary key (job_id, type)
);
create table log_chunks (
  job_id text collate "C" not null references jobs on delete cascade,
  type text not null,
  start bigint not null,
  bytes bytea not null,
  primary key (job_id, type, start)
);
create table log_tails (like log_chunks including all, foreign key (job_id) references jobs on delete cascade);

create table idempotency_keys (
  key text collate "C" primary key,
  body_hash text not null,
  job_id text collate "C" not null references jobs on delete cascade deferrable initially deferred,
  created timestamptz not null default now()
);
create index idempotency_keys_job on idempotency_keys (job_id);

create table workers (
  id text collate "C" primary key,
  started timestamptz not null default now(),
  heartbeat timestamptz not null default now(),
  info json not null
);
