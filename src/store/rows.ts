import type { Selectable } from 'kysely';
import { DEFAULT_DESKTOP_SIZE } from '../protocol/desktop.ts';
import type { ErrorInfo } from '../protocol/errors.ts';
import type { AcceptedRequest, Job, OutputInfo } from '../protocol/job.ts';
import type { StoreConfig } from './store.ts';
import type { Tables } from './tables.ts';

const DAY_MS = 86_400_000;

/** What a {@link Job} is made of: every column but the request's large parts, the secrets, and the queue's. */
export const JOB_COLUMNS = [
  'id',
  'status',
  'request',
  'created',
  'started',
  'completed',
  'error',
  'attempt',
  'worker_id',
  'sandbox',
  'steps',
  'input_tokens',
  'cached_input_tokens',
  'output_tokens',
  'cost_usd',
  'waited_ms',
  'pause_requested',
  'output',
  'output_expired',
  'last_seq',
] as const;

/** With the request's large parts. */
export const WHOLE_JOB_COLUMNS = [...JOB_COLUMNS, 'prompt', 'env', 'files'] as const;

type JobsRow = Selectable<Tables['jobs']>;
export type JobRow = Pick<JobsRow, (typeof JOB_COLUMNS)[number] | 'prompt'> &
  Partial<Pick<JobsRow, 'env' | 'files'>>;

/** A row as the rest of the program sees it. The store wrote its JSON, so it is taken as it is. */
export function toJob(row: JobRow, { RETENTION_DAYS }: Pick<StoreConfig, 'RETENTION_DAYS'>): Job {
  const request = {
    // Jobs that were stored before desktops have none.
    desktop: DEFAULT_DESKTOP_SIZE,
    ...(row.request as object),
    prompt: row.prompt,
    env: row.env ?? {},
    files: row.files ?? [],
  } as AcceptedRequest;
  const output = row.output as OutputInfo | null;
  const expires = row.completed && new Date(row.completed.getTime() + RETENTION_DAYS * DAY_MS).toISOString();
  return {
    id: row.id,
    status: row.status,
    request,
    created: row.created.toISOString(),
    started: row.started?.toISOString() ?? null,
    completed: row.completed?.toISOString() ?? null,
    error: row.error as ErrorInfo | null,
    attempt: row.attempt,
    worker_id: row.worker_id,
    sandbox: row.sandbox,
    usage: {
      steps: row.steps,
      input_tokens: row.input_tokens,
      cached_input_tokens: row.cached_input_tokens,
      output_tokens: row.output_tokens,
      cost_usd: row.cost_usd,
    },
    waited_ms: row.waited_ms,
    pause_requested: row.pause_requested,
    output: output && { ...output, expires },
    output_expired: row.output_expired,
    last_seq: row.last_seq,
  };
}
