import { type RawBuilder, sql } from 'kysely';

/** pg-boss's name of the queue. */
export const QUEUE_NAME = 'jobs';

/**
 * Whether a row of `jobs` has a place in the queue: held by a worker, or held or waiting to be taken.
 * It reads pg-boss's own table, since asking entry by entry would not do for 100,000 jobs.
 */
export function hasEntry(which: 'held' | 'any'): RawBuilder<boolean> {
  const states = which === 'held' ? ['active'] : ['created', 'retry', 'active'];
  return sql<boolean>`exists (
    select 1 from pgboss.job as entry
    where entry.name = ${QUEUE_NAME} and entry.id = jobs.delivery_id and entry.state::text = any(${states})
  )`;
}

/** Ids of places in the queue that no row of `jobs` names, at most `limit`. */
export function strayEntries(limit: number): RawBuilder<{ id: string }> {
  return sql<{ id: string }>`
    select entry.id from pgboss.job as entry
    where entry.name = ${QUEUE_NAME} and not exists (select 1 from jobs where jobs.delivery_id = entry.id)
    limit ${limit}`;
}

/** What is held, by whomever. */
export const HELD_ENTRIES = sql<{ id: string; retryCount: number }>`
  select id, retry_count as "retryCount" from pgboss.job where name = ${QUEUE_NAME} and state = 'active'`;
