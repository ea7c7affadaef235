-- Few of a log's events: what a job that goes on needs of what a summary stands for, and the summaries themselves.
create index events_lasting on events (job_id, seq) where type in (
  'context.compacted', 'message.user', 'question.asked', 'question.answered',
  'job.started', 'job.requeued', 'sandbox.started', 'sandbox.reattached', 'sandbox.lost', 'input.ready',
  'control.taken', 'control.released',
  'note.pinned', 'note.updated', 'note.struck', 'plan.set'
);

-- A reply by its step: what the model saw at any of them is asked for by that.
create index events_replies on events (job_id, ((data->>'step')::integer)) where type = 'model.reply';
