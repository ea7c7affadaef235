-- Sandboxes without an agent are jobs whose agent is "none": how long each is still wanted.
create table sandbox_leases (
  job_id text collate "C" primary key references jobs on delete cascade,
  -- Seconds that it goes on without being used; each use counts them anew.
  idle_s integer not null,
  -- When it ends unless it is used.
  expires timestamptz not null,
  -- When it ends in any case.
  ends timestamptz not null,
  -- When it could first be used; null until then.
  ready timestamptz
);
