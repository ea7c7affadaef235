import { z } from 'zod';
import { DesktopSize } from './desktop.ts';
import { ErrorInfo } from './errors.ts';
import { Id } from './ids.ts';
import { Note, PlanItem } from './notes.ts';

/** What a job can be. The last three are final. */
export const JobStatus = z.enum(['scheduled', 'running', 'waiting', 'complete', 'failed', 'cancelled']);
export type JobStatus = z.infer<typeof JobStatus>;
const FINAL_STATUSES: readonly JobStatus[] = ['complete', 'failed', 'cancelled'];
export const isFinal = (status: JobStatus): boolean => FINAL_STATUSES.includes(status);

export const LogType = z.enum(['stdout', 'stderr']);
export type LogType = z.infer<typeof LogType>;

/** Where a sandbox keeps the job's files; relative paths of the API start here. */
export const WORKSPACE = '/workspace';
/** The project's own folder in the workspace: long outputs, and the output's manifest. */
export const AGENT_FOLDER = '.agent';

const RelativePath = z
  .string()
  .min(1)
  .max(4_096)
  .refine((path) => !path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..'), {
    error: 'expected a path relative to the workspace, without ".." and NUL',
  });

const VariableName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,127}$/,
    'expected a variable name: letters, digits and _, not starting with a digit',
  );
const noNul = (text: string) => !text.includes('\0');

const Env = z
  .record(VariableName, z.string().max(32_768).refine(noNul, { error: 'expected text without NUL' }))
  .refine((env) => Object.keys(env).length <= 200, { error: 'expected at most 200 variables' });

export const InputFile = z
  .strictObject({
    path: RelativePath.describe('Where it goes, relative to the workspace.'),
    content: z.string().optional().describe('Its text, in UTF-8.'),
    content_base64: z.base64().optional().describe('Its bytes, in base64.'),
    executable: z.boolean().optional(),
  })
  .refine((file) => (file.content === undefined) !== (file.content_base64 === undefined), {
    error: 'expected exactly one of content and content_base64',
  })
  .meta({ id: 'InputFile' });
export type InputFile = z.infer<typeof InputFile>;

const HostPattern = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?$/i,
    'expected a host such as example.com, *.example.org or example.com:8443',
  );

const NetworkPolicy = z
  .strictObject({
    mode: z.enum(['none', 'public', 'allowlist']).default('public'),
    allow: z
      .array(HostPattern)
      .max(500)
      .optional()
      .describe('With mode "allowlist": hosts, *.domains, each with an optional :port.'),
  })
  .refine((policy) => (policy.mode === 'allowlist') === (policy.allow !== undefined), {
    error: 'expected "allow" exactly when mode is "allowlist"',
  })
  .meta({
    id: 'NetworkPolicy',
    description:
      'Where the sandbox may connect to: never private, loopback, link-local or metadata addresses.',
  });

/** What a job may use. Each has a default and a ceiling in the server's settings. */
const LimitsRequest = z
  .strictObject({
    cpus: z.number().positive().max(1_024),
    memory_mb: z.int().min(128).max(4_194_304),
    disk_mb: z.int().min(64).max(16_777_216),
    pids: z.int().min(32).max(1_000_000),
    timeout_s: z
      .int()
      .min(1)
      .max(31_536_000)
      .describe('From its first start; time spent waiting for an answer is not counted.'),
    max_steps: z.int().min(1).max(1_000_000),
    max_tokens: z.int().min(1_000).max(100_000_000_000),
    max_cost_usd: z.number().positive().max(1_000_000),
  })
  .partial()
  .meta({ id: 'LimitsRequest' });
/** A job's limits once the defaults are in; `max_cost_usd` stays null where nobody set one. */
export const Limits = z
  .object({
    cpus: z.number(),
    memory_mb: z.int(),
    disk_mb: z.int(),
    pids: z.int(),
    timeout_s: z.int(),
    max_steps: z.int(),
    max_tokens: z.int(),
    max_cost_usd: z.number().nullable(),
  })
  .meta({ id: 'Limits' });
export type Limits = z.infer<typeof Limits>;

const Glob = z.string().min(1).max(1_024);

export const ScheduleRequest = z
  .strictObject({
    prompt: z
      .string()
      .min(1)
      .max(200_000)
      .describe('What is to be done. For a runbook: Markdown with fenced blocks.'),
    agent: z
      .enum(['llm', 'runbook'])
      .optional()
      .describe('Left out: llm where a model is configured, else runbook.'),
    model: z
      .string()
      .max(200)
      .regex(/^[a-z0-9-]+\/.+$/, 'expected provider/name')
      .optional(),
    files: z.array(InputFile).max(10_000).optional(),
    git: z
      .strictObject({
        url: z
          .string()
          .max(2_048)
          .regex(/^(https?|ssh|git):\/\/|^[\w.-]+@[\w.-]+:/, 'expected an https, http, git or ssh URL'),
        ref: z
          .string()
          .max(256)
          .regex(/^[^-\s][^\s]*$/, 'expected a branch, tag or commit')
          .optional(),
      })
      .optional(),
    env: Env.optional(),
    secrets: Env.refine((env) => Object.values(env).every((value) => value.length >= 4), {
      error: 'expected values of at least 4 characters: shorter ones cannot be kept out of logs',
    }).optional(),
    network: NetworkPolicy.optional(),
    limits: LimitsRequest.optional(),
    privileges: z.enum(['user', 'root']).optional(),
    desktop: DesktopSize.optional().describe('The size of its desktop, in pixels; default 1280 by 800.'),
    output: z
      .strictObject({
        include: z.array(Glob).max(500).optional(),
        exclude: z.array(Glob).max(500).optional(),
      })
      .optional()
      .describe('Globs below the workspace. Default: everything less dependency and cache folders.'),
    labels: z
      .record(
        z
          .string()
          .min(1)
          .max(63)
          .regex(/^[\w./-]+$/),
        z.string().max(255).refine(noNul),
      )
      .refine((labels) => Object.keys(labels).length <= 32, { error: 'expected at most 32 labels' })
      .optional(),
    priority: z.int().min(-100).max(100).optional().describe('Higher goes first; default 0.'),
    callback_url: z
      .url({ protocol: /^https?$/ })
      .max(2_048)
      .optional()
      .describe('Gets a POST with the status when the job ends.'),
  })
  .meta({ id: 'ScheduleRequest' });
export type ScheduleRequest = z.infer<typeof ScheduleRequest>;

/**
 * A request with every choice made, as it is stored and as `run-job` reads it.
 * Secrets are not in it (they lie encrypted beside it), nor are the files' contents.
 */
export const AcceptedRequest = z
  .object({
    prompt: z.string(),
    agent: z.enum(['llm', 'runbook', 'none']).describe('`none`: a sandbox that clients use.'),
    model: z.string().nullable(),
    files: z.array(z.object({ path: z.string(), bytes: z.int(), executable: z.boolean() })),
    git: z.object({ url: z.string(), ref: z.string().nullable() }).nullable(),
    env: z.record(z.string(), z.string()),
    secret_names: z.array(z.string()),
    network: z.object({ mode: z.enum(['none', 'public', 'allowlist']), allow: z.array(z.string()) }),
    limits: Limits,
    privileges: z.enum(['user', 'root']),
    desktop: z.object({ width: z.int(), height: z.int() }),
    output: z.object({ include: z.array(z.string()), exclude: z.array(z.string()) }),
    labels: z.record(z.string(), z.string()),
    priority: z.int(),
    callback_url: z.string().nullable(),
  })
  .meta({ id: 'AcceptedRequest' });
export type AcceptedRequest = z.infer<typeof AcceptedRequest>;

export const Usage = z
  .object({
    steps: z.int(),
    input_tokens: z.int(),
    cached_input_tokens: z.int(),
    output_tokens: z.int(),
    cost_usd: z.number().nullable().describe('Null where the price of the model is not known.'),
  })
  .meta({ id: 'Usage' });
export type Usage = z.infer<typeof Usage>;

export const OutputInfo = z
  .object({
    bytes: z.int(),
    files: z.int(),
    left_out: z.int(),
    sha256: z.string(),
    expires: z.string().nullable(),
  })
  .meta({ id: 'OutputInfo' });
export type OutputInfo = z.infer<typeof OutputInfo>;

const Time = z.iso.datetime().describe('RFC 3339, UTC');

/** A row of the store, as everything but the store sees it. Times are RFC 3339. */
export interface Job {
  id: string;
  status: JobStatus;
  request: AcceptedRequest;
  created: string;
  started: string | null;
  completed: string | null;
  error: ErrorInfo | null;
  /** How many times a worker has started it. */
  attempt: number;
  worker_id: string | null;
  /** The driver's handle of its sandbox: plain JSON, null while it has none. */
  sandbox: unknown;
  usage: Usage;
  /** Milliseconds spent in `waiting`, not counted against `timeout_s`. */
  waited_ms: number;
  pause_requested: boolean;
  output: OutputInfo | null;
  /** Whether the output was there and has been removed by retention. */
  output_expired: boolean;
  /** The sequence number of its newest event. */
  last_seq: number;
}

export const ScheduleResponse = z
  .object({
    job_id: Id,
    status: JobStatus,
    status_link: z.string(),
    logs_link: z.string(),
    events_link: z.string(),
    desktop_link: z.string().describe('The live desktop, while the job has a sandbox.'),
  })
  .meta({ id: 'ScheduleResponse' });

export const StatusResponse = z
  .object({
    job_id: Id,
    status: JobStatus,
    output: z.string().nullable().describe('Where the zip lies; null until there is one.'),
    download_link: z.string().nullable(),
    logs_link: z.string(),
    created: Time,
    started: Time.nullable(),
    completed: Time.nullable(),
    error: ErrorInfo.nullable(),
  })
  .meta({ id: 'StatusResponse' });

export const CancelResponse = z
  .object({ job_id: Id, cancelled: z.boolean(), status: JobStatus })
  .meta({ id: 'CancelResponse' });

const JobSummary = z
  .object({
    job_id: Id,
    status: JobStatus,
    agent: z.enum(['llm', 'runbook', 'none']),
    prompt: z.string().describe('Its first 200 characters.'),
    labels: z.record(z.string(), z.string()),
    created: Time,
    started: Time.nullable(),
    completed: Time.nullable(),
    error: ErrorInfo.nullable(),
    status_link: z.string(),
  })
  .meta({ id: 'JobSummary' });

export const JobsResponse = z
  .object({ jobs: z.array(JobSummary), next_cursor: z.string().nullable() })
  .meta({ id: 'JobsResponse' });

export const JobResponse = z
  .object({
    job_id: Id,
    status: JobStatus,
    request: AcceptedRequest,
    created: Time,
    started: Time.nullable(),
    completed: Time.nullable(),
    error: ErrorInfo.nullable(),
    attempts: z.int(),
    worker: z.string().nullable().describe('The worker that runs it, or ran it last.'),
    sandbox: z.string().nullable().describe('The id of its live sandbox.'),
    usage: Usage,
    limits: Limits,
    paused: z.boolean(),
    plan: z.array(PlanItem).describe("The agent's plan as it stands."),
    notes: z.array(Note).describe('What the agent has pinned.'),
    output: OutputInfo.nullable(),
    links: z.record(z.string(), z.string()),
  })
  .meta({ id: 'JobResponse' });

export const LogsResponse = z
  .object({
    job_id: Id,
    log_type: LogType,
    last_1000_lines: z.string(),
    full_log: z.string().nullable().describe('The whole text up to 1 MiB, else null.'),
    full_log_link: z.string(),
  })
  .meta({ id: 'LogsResponse' });

export const MessageRequest = z
  .strictObject({
    text: z.string().min(1).max(200_000).refine(noNul, { error: 'expected text without NUL' }),
  })
  .meta({ id: 'MessageRequest' });

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    error: z.string().describe('The same text as detail.'),
    hint: z.string().optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });
