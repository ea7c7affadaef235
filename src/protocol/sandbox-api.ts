import { z } from 'zod';
import { ErrorInfo } from './errors.ts';
import { Id } from './ids.ts';
import { Limits, ScheduleRequest } from './job.ts';
import { KernelDisplay, KernelEnded } from './kernel.ts';
import { FileType, ProcessSignal } from './sandboxd.ts';

const { limits, network, env, secrets, privileges, labels, files, git, desktop, output } =
  ScheduleRequest.shape;

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
    desktop,
    output,
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

const Variables = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/), text(32_768)).optional();
const Timeout = (what: string) => z.int().min(1).max(86_400).optional().describe(`${what} Default 600.`);

const program = {
  command: text(MAX_COMMAND).min(1).optional().describe('A line for bash.'),
  argv: z
    .array(text(MAX_COMMAND))
    .min(1)
    .max(10_000)
    .optional()
    .describe('A program and its arguments, run as they are.'),
  cwd: text(4_096).optional().describe('Default: the workspace.'),
  env: Variables,
};
const isOne = ({ command, argv }: { command?: string | undefined; argv?: string[] | undefined }) =>
  (command === undefined) !== (argv === undefined);
const EXPECT_ONE = { error: 'expected exactly one of command and argv' };

/** What POST /exec takes. */
export const ExecRequest = z
  .strictObject({
    ...program,
    stdin: text(1_000_000).optional(),
    timeout_s: Timeout('Ends it with all that it started.'),
  })
  .refine(isOne, EXPECT_ONE)
  .meta({ id: 'ExecRequest' });
export type ExecRequest = z.infer<typeof ExecRequest>;

const Ended = {
  exit_code: z.int().nullable().describe('Null when a signal ended it.'),
  signal: z.string().nullable(),
  timed_out: z.boolean(),
  oom_killed: z.boolean().describe('Whether the memory limit killed something while it ran.'),
  duration_ms: z.number(),
};

const Printed = {
  stdout: z.object({ type: z.literal('stdout'), text: z.string() }),
  stderr: z.object({ type: z.literal('stderr'), text: z.string() }),
};
const Failed = z.object({ type: z.literal('failed'), error: ErrorInfo });
const LAST_LINE = 'The last line is `ended` or `failed`: a stream without one was cut.';

/** One line of a command's stream. */
export const ExecLine = z
  .discriminatedUnion('type', [
    Printed.stdout,
    Printed.stderr,
    z.object({ type: z.literal('ended'), ...Ended }),
    Failed,
  ])
  .meta({ id: 'ExecLine', description: LAST_LINE });
export type ExecLine = z.infer<typeof ExecLine>;

const Texts = {
  stdout: z.string(),
  stderr: z.string(),
  truncated: z.boolean().describe('Whether a stream was longer than 1 MiB, of which this is the beginning.'),
};

/** A command from its start to its end. */
export const ExecResult = z.object({ ...Ended, ...Texts }).meta({ id: 'ExecResult' });
export type ExecResult = z.infer<typeof ExecResult>;

/** What POST /shell takes. */
export const ShellRequest = z
  .strictObject({
    command: text(MAX_COMMAND).min(1).describe('Lines for bash.'),
    session: z
      .string()
      .regex(/^[\w.-]{1,64}$/, 'expected a name of at most 64 letters, digits, ".", "_" and "-"')
      .default('client')
      .describe('Which session, made at first use.'),
    env: Variables.describe('For the session, when it is made.'),
    timeout_s: Timeout('Ends the command with all that it started; the session stays.'),
  })
  .meta({ id: 'ShellRequest' });
export type ShellRequest = z.infer<typeof ShellRequest>;

const ShellPlace = {
  cwd: z.string().describe('Where the session stands.'),
  restarted: z
    .boolean()
    .describe('Whether the session had to be started anew: variables and functions are gone.'),
};
export const ShellLine = z
  .discriminatedUnion('type', [
    Printed.stdout,
    Printed.stderr,
    z.object({ type: z.literal('ended'), ...Ended, ...ShellPlace }),
    Failed,
  ])
  .meta({ id: 'ShellLine', description: LAST_LINE });
export const ShellResult = z.object({ ...Ended, ...Texts, ...ShellPlace }).meta({ id: 'ShellResult' });

/** What POST /processes takes. */
export const StartProcessRequest = z
  .strictObject(program)
  .refine(isOne, EXPECT_ONE)
  .meta({ id: 'StartProcessRequest' });

export const ProcessState = z
  .object({
    process_id: z.string(),
    pid: z.int(),
    command: z.string(),
    background: z.boolean().describe('Whether it goes on when the call that started it is over.'),
    started_ms_ago: z.number(),
    ended: z.object(Ended).nullable().describe('Null while it runs.'),
    stdout_bytes: z.int(),
    stderr_bytes: z.int(),
  })
  .meta({ id: 'ProcessState' });
export const ProcessStates = z.object({ processes: z.array(ProcessState) }).meta({ id: 'ProcessStates' });

const Next = {
  stdout_next: z.int().describe('Give it as stdout_from to go on.'),
  stderr_next: z.int().describe('Give it as stderr_from to go on.'),
};
const From = z
  .int()
  .describe('Which byte the text begins with: a later one than asked for where older ones have gone.');
export const ProcessOutput = z
  .object({
    process: ProcessState,
    stdout: z.string(),
    stderr: z.string(),
    stdout_from: From,
    stderr_from: From,
    ...Next,
  })
  .meta({ id: 'ProcessOutput' });
export const ProcessLine = z
  .discriminatedUnion('type', [
    Printed.stdout,
    Printed.stderr,
    z.object({ type: z.literal('process'), process: ProcessState, ...Next }),
    Failed,
  ])
  .meta({
    id: 'ProcessLine',
    description: 'The last line is `process` or `failed`: a stream without one was cut.',
  });

export const SignalRequest = z
  .strictObject({ signal: ProcessSignal.shape.signal })
  .meta({ id: 'SignalRequest' });
export const StdinRequest = z
  .strictObject({
    text: z.string().max(1_000_000).optional(),
    end: z.boolean().optional().describe('Whether this is the last of it.'),
  })
  .meta({ id: 'StdinRequest' });

/** A kernel's name, or the kind of one. */
export const KernelName = z
  .string()
  .regex(/^[\w.-]{1,64}$/, 'expected a name of at most 64 letters, digits, ".", "_" and "-"')
  .describe('The name of a kernel; without another, its language.');
const Language = KernelName.describe(
  '`python`, `typescript`, `javascript`, or the name of a Jupyter kernel that the image has.',
);

export const StartKernelRequest = z
  .strictObject({
    language: Language,
    name: KernelName.optional().describe('Default: the language.'),
  })
  .meta({ id: 'StartKernelRequest' });

export const RunCodeRequest = z
  .strictObject({
    code: text(1_000_000),
    language: Language.optional(),
    timeout_s: Timeout('Then the code is interrupted; a kernel that does not yield is ended.'),
  })
  .meta({ id: 'RunCodeRequest' });
export type RunCodeRequest = z.infer<typeof RunCodeRequest>;

const Display = z.object({
  type: z.literal('display'),
  ...KernelDisplay.pick({ kind: true }).shape,
  data: z
    .record(z.string(), z.string())
    .describe('The same in one or more media types: text as it is, all else (image/png) in base64.'),
});
/** Something that code has shown. */
const KernelOutput = z.discriminatedUnion('type', [Printed.stdout, Printed.stderr, Display]);
export type KernelOutput = z.infer<typeof KernelOutput>;

const CodeEnded = KernelEnded.omit({ event: true }).shape;
export const KernelLine = z
  .discriminatedUnion('type', [
    Printed.stdout,
    Printed.stderr,
    Display,
    z.object({ type: z.literal('ended'), ...CodeEnded }),
    Failed,
  ])
  .meta({ id: 'KernelLine', description: LAST_LINE });
export type KernelLine = z.infer<typeof KernelLine>;

/** A run of code from its start to its end. */
export const KernelResult = z
  .object({
    outputs: z.array(KernelOutput).describe('What it showed, in order.'),
    ...CodeEnded,
    truncated: z.boolean().describe('Whether there was more: of text 8 MiB are kept, of rich output 12 MiB.'),
  })
  .meta({ id: 'KernelResult' });
export type KernelResult = z.infer<typeof KernelResult>;

/** What GET /watch tells, as events of the `type`'s name. */
export const WatchLine = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('watching') }),
    z.object({
      type: z.literal('change'),
      kind: z.enum(['created', 'modified', 'removed']),
      path: z.string().describe('Relative to the workspace.'),
      file_type: FileType,
    }),
    z.object({ type: z.literal('overflow') }),
    Failed,
  ])
  .meta({ id: 'WatchLine', description: 'An event of this `type`; the other members are its data.' });
