-- Few of a log's events: an agent's notes and plan are read without the rest of it.
create index events_notebook on events (job_id, seq) where type in ('note.pinned', 'note.updated', 'note.struck', 'plan.set');
