-- Who has control of a job's desktop: one person at a time, until it expires.
create table desktop_control (
  job_id text collate "C" primary key references jobs on delete cascade,
  -- SHA-256 of the token that its holder has.
  token_hash bytea not null,
  holder text not null,
  taken timestamptz not null,
  expires timestamptz not null
);
create index desktop_control_expires on desktop_control (expires);
