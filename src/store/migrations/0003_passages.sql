-- A job's history cut into passages of about 1,500 characters, to be searched by words and by structure. Their text is
-- the event's: `start` and `length` are its place in it, in characters as JavaScript counts them.
create table passages (
  job_id text collate "C" not null,
  seq integer not null,
  part integer not null,
  step integer,
  kind text not null,
  tools text[] not null,
  is_error boolean not null,
  start integer not null,
  length integer not null,
  lexemes tsvector not null,
  primary key (job_id, seq, part),
  foreign key (job_id, seq) references events on delete cascade
);
-- One index for all jobs: each passage has a lexeme that names its job, and GIN meets it with the word's in the index.
create index passages_lexemes on passages using gin (lexemes);
