import { z } from 'zod';
import { ErrorInfo } from './errors.ts';
import { Id } from './ids.ts';
import { Limits, ScheduleRequest } from './job.ts';

const { limits, network, env, secrets, privileges, labels, files, git } = ScheduleRequest.shape;

/** What POST /sandboxes takes: of a job's request what a sandbox has a use for, and how long it is to live. */
export const SandboxRequest = z
  .strictObject({
    limits,
    network,
    env,
    secrets,
    privileges,
    labels,
    files,
    git,
    idle_s: z
      .int()
      .min(10)
      .max(86_400)
      .optional()
      .describe('Seconds that it goes on without being used; every call counts as a use. Default 600.'),
    lifetime_s: z
      .int()
      .min(10)
      .max(31_536_000)
      .optional()
      .describe(
        'Seconds from now at which it ends in any case. Default 3600; the most is CEILING_TIMEOUT_S.',
      ),
  })
  .meta({ id: 'SandboxRequest' });

const Time = z.iso.datetime();

export const SandboxState = z
  .object({
    sandbox_id: Id,
    status: z
      .enum(['starting', 'running', 'ended', 'failed'])
      .describe('It can be used while it is running; what it is in the end never changes.'),
    created: Time,
    ready: Time.nullable().describe('When it could first be used.'),
    expires: Time.nullable().describe('When it ends unless it is used; null once it has ended.'),
    ends: Time.nullable().describe('When it ends in any case; null once it has ended.'),
    ended: Time.nullable(),
    idle_s: z.int(),
    error: ErrorInfo.nullable(),
    labels: z.record(z.string(), z.string()),
    limits: Limits,
    links: z.record(z.string(), z.string()),
  })
  .meta({ id: 'SandboxState' });

export const SandboxesPage = z
  .object({ sandboxes: z.array(SandboxState), next_cursor: z.string().nullable() })
  .meta({ id: 'SandboxesPage' });

export const KeepRequest = z
  .strictObject({ idle_s: SandboxRequest.shape.idle_s })
  .meta({ id: 'KeepRequest' });

const MAX_COMMAND = 200_000;
const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => !value.includes('\0'), { error: 'expected text without NUL' });

/** What POST /exec takes. */
export const ExecRequest = z
  .strictObject({
    command: text(MAX_COMMAND).min(1).optional().describe('A line for bash.'),
    argv: z
      .array(text(MAX_COMMAND))
      .min(1)
      .max(10_000)
      .optional()
      .describe('A program and its arguments, run as they are.'),
    cwd: text(4_096).optional().describe('Default: the workspace.'),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/), text(32_768)).optional(),
    stdin: text(1_000_000).optional(),
    timeout_s: z
      .int()
      .min(1)
      .max(86_400)
      .optional()
      .describe('Ends it with all that it started. Default 600.'),
  })
  .refine(({ command, argv }) => (command === undefined) !== (argv === undefined), {
    error: 'expected exactly one of command and argv',
  })
  .meta({ id: 'ExecRequest' });
export type ExecRequest = z.infer<typeof ExecRequest>;

const Ended = {
  exit_code: z.int().nullable().describe('Null when a signal ended it.'),
  signal: z.string().nullable(),
  timed_out: z.boolean(),
  oom_killed: z.boolean().describe('Whether the memory limit killed something while it ran.'),
  duration_ms: z.number(),
};

/** One line of a command's stream. */
export const ExecLine = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('stdout'), text: z.string() }),
    z.object({ type: z.literal('stderr'), text: z.string() }),
    z.object({ type: z.literal('ended'), ...Ended }),
    z.object({ type: z.literal('failed'), error: ErrorInfo }),
  ])
  .meta({
    id: 'ExecLine',
    description: 'The last line is `ended` or `failed`: a stream without one was cut.',
  });
export type ExecLine = z.infer<typeof ExecLine>;

/** A command from its start to its end. */
export const ExecResult = z
  .object({
    ...Ended,
    stdout: z.string(),
    stderr: z.string(),
    truncated: z
      .boolean()
      .describe('Whether a stream was longer than 1 MiB, of which this is the beginning.'),
  })
  .meta({ id: 'ExecResult' });
export type ExecResult = z.infer<typeof ExecResult>;
