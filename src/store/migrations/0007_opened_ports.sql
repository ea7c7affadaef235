-- Few of a log's events, asked for by every look at the list of jobs.
create index events_opened_ports on events (job_id, seq) where type = 'port.opened';
