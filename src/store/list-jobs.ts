import { sql } from 'kysely';
import { CodedError } from '../protocol/errors.ts';
import { ID_PATTERN } from '../protocol/ids.ts';
import type { Job, JobStatus } from '../protocol/job.ts';
import { toJson } from './json.ts';
import { JOB_COLUMNS, toJob } from './rows.ts';
import type { Store } from './store.ts';

/** Enough of a prompt to know the job by. */
const PROMPT_CHARS = 200;

const IS_SANDBOX = sql<boolean>`exists (select 1 from sandbox_leases where sandbox_leases.job_id = jobs.id)`;

export interface ListOptions {
  /** Jobs that are one of these. */
  status?: JobStatus | readonly JobStatus[] | undefined;
  /** Jobs with an agent (the default), or the sandboxes without one. */
  kind?: 'jobs' | 'sandboxes';
  /** Without a value: jobs that have a label of that name. */
  label?: { name: string; value?: string | undefined } | undefined;
  /** At most this many. */
  limit: number;
  /** A page's `nextCursor`. */
  cursor?: string | undefined;
}

/**
 * Jobs, newest first. Their requests are cut short, since a thousand whole ones may be a gigabyte: the prompt's
 * first 200 characters, no files, no env.
 * @throws CodedError INVALID_REQUEST for a cursor that no page gave.
 */
export async function listJobs(
  store: Store,
  { status, kind = 'jobs', label, limit, cursor }: ListOptions,
): Promise<{ jobs: Job[]; nextCursor: string | null }> {
  if (cursor !== undefined && !ID_PATTERN.test(cursor)) {
    const message = 'expected the next_cursor of an earlier page';
    throw new CodedError('INVALID_REQUEST', `cursor: ${message}`, { faults: [{ path: 'cursor', message }] });
  }
  // Ids sort as the jobs were created, so a page begins after the last id of the one before.
  let query = store.db
    .selectFrom('jobs')
    .select(JOB_COLUMNS)
    .select(sql<string>`left(prompt, ${PROMPT_CHARS})`.as('prompt'))
    .where(kind === 'jobs' ? sql<boolean>`not ${IS_SANDBOX}` : IS_SANDBOX)
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (status) query = query.where('status', 'in', [status].flat());
  if (cursor !== undefined) query = query.where('id', '<', cursor);
  if (label?.value !== undefined) {
    query = query.where(sql<boolean>`labels @> ${toJson({ [label.name]: label.value })}::jsonb`);
  } else if (label) {
    query = query.where(sql<boolean>`labels ? ${label.name}`);
  }
  const rows = await query.execute();
  const jobs = rows.slice(0, limit).map((row) => toJob(row, store.config));
  return { jobs, nextCursor: rows.length > limit ? (jobs.at(-1)?.id ?? null) : null };
}
