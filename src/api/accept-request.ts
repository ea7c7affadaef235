import type { Config } from '../config.ts';
import { DEFAULT_DESKTOP_SIZE } from '../protocol/desktop.ts';
import { CodedError, type Fault } from '../protocol/errors.ts';
import type { AcceptedRequest, Limits, ScheduleRequest } from '../protocol/job.ts';
import { hasRunnableBlock } from '../protocol/runbook.ts';
import { chooseModel } from './choose-model.ts';
import { inputFaults } from './input-faults.ts';
import { invalid } from './validate.ts';

/** What stays out of the zip where a job names no excludes: what an install or a run can make again. */
export const DEFAULT_EXCLUDES: readonly string[] = [
  'node_modules',
  '.venv',
  'venv',
  '__pycache__',
  '.cache',
  '.npm',
].map((folder) => `**/${folder}/**`);

export interface AcceptFacts {
  config: Config;
  /** Whether root inside a sandbox is nobody outside. */
  rootIsSafe: boolean;
  /** Files that came beside the JSON, as parts of a multipart body. */
  uploads: AcceptedRequest['files'];
}

/**
 * Makes every choice that a request leaves open, and refuses what this server cannot do.
 * @returns the request as it is stored, which has the names of its secrets alone, and their values apart.
 * @throws CodedError MODEL_NOT_CONFIGURED, MODEL_UNKNOWN, RUNBOOK_EMPTY, LIMIT_ABOVE_CEILING,
 * PRIVILEGES_NOT_ALLOWED, or INVALID_REQUEST for members that contradict one another.
 */
export function acceptRequest(request: ScheduleRequest, facts: AcceptFacts): Accepted {
  const agent = chooseAgent(request, facts.config);
  return acceptJob(request, agent, agent === 'llm' ? chooseModel(request.model, facts.config) : null, facts);
}

interface Accepted {
  request: AcceptedRequest;
  secrets: Record<string, string>;
}

/** The same where the agent is chosen already: a sandbox has none. */
export function acceptJob(
  request: ScheduleRequest,
  agent: AcceptedRequest['agent'],
  model: string | null,
  facts: AcceptFacts,
): Accepted {
  const { config } = facts;
  const secrets = request.secrets ?? {};
  const inline = (request.files ?? []).map(fileInfo);
  const paths = [...inline, ...facts.uploads].map(({ path }) => path);
  const faults = [...nameClashes(request), ...networkFaults(request), ...inputFaults(paths)];
  if (faults.length > 0) throw invalid(faults);
  checkPrivileges(request, facts);
  return {
    request: {
      prompt: request.prompt,
      agent,
      model,
      files: [
        ...facts.uploads.map(({ path, bytes, executable }) => ({ path, bytes, executable })),
        ...inline,
      ],
      git: request.git ? { url: request.git.url, ref: request.git.ref ?? null } : null,
      env: request.env ?? {},
      secret_names: Object.keys(secrets),
      network: { mode: request.network?.mode ?? 'public', allow: request.network?.allow ?? [] },
      limits: acceptLimits(request.limits ?? {}, config),
      privileges: request.privileges ?? 'user',
      desktop: request.desktop ?? DEFAULT_DESKTOP_SIZE,
      output: {
        include: request.output?.include ?? ['**'],
        exclude: request.output?.exclude ?? [...DEFAULT_EXCLUDES],
      },
      labels: request.labels ?? {},
      priority: request.priority ?? 0,
      callback_url: request.callback_url ?? null,
    },
    secrets,
  };
}

type InlineFile = NonNullable<ScheduleRequest['files']>[number];

const fileInfo = (file: InlineFile) => ({
  path: file.path,
  bytes: inlineBytes(file).length,
  executable: file.executable ?? false,
});

/** The bytes of a file that came inside the JSON. */
export const inlineBytes = (file: InlineFile): Buffer =>
  file.content === undefined ? Buffer.from(file.content_base64 ?? '', 'base64') : Buffer.from(file.content);

function nameClashes({ env = {}, secrets = {} }: ScheduleRequest): Fault[] {
  return Object.keys(secrets)
    .filter((name) => Object.hasOwn(env, name))
    .map((name) => ({ path: `secrets.${name}`, message: 'expected a name that env does not have as well' }));
}

function networkFaults({ git, network }: ScheduleRequest): Fault[] {
  if (!git || network?.mode !== 'none') return [];
  return [{ path: 'git', message: 'expected a network that reaches the repository; network.mode is "none"' }];
}

function chooseAgent(request: ScheduleRequest, config: Config): 'llm' | 'runbook' {
  const runnable = hasRunnableBlock(request.prompt);
  const modelGiven = request.model !== undefined || config.MODEL !== undefined;
  const agent = request.agent ?? (modelGiven || !runnable ? 'llm' : 'runbook');
  if (agent === 'runbook') {
    if (!runnable)
      throw new CodedError('RUNBOOK_EMPTY', 'expected a fenced block to run in the prompt; found none');
    if (request.model !== undefined) {
      throw invalid([{ path: 'model', message: 'expected no model with agent "runbook"' }]);
    }
  }
  return agent;
}

function checkPrivileges(request: ScheduleRequest, { config, rootIsSafe }: AcceptFacts): void {
  if (request.privileges !== 'root' || rootIsSafe || config.ALLOW_ROOT) return;
  throw new CodedError(
    'PRIVILEGES_NOT_ALLOWED',
    'privileges: expected "user", since root inside would be root for this engine; found "root"',
  );
}

const SETTING = {
  cpus: 'CPUS',
  memory_mb: 'MEMORY_MB',
  disk_mb: 'DISK_MB',
  pids: 'PIDS',
  timeout_s: 'TIMEOUT_S',
  max_steps: 'STEPS',
  max_tokens: 'TOKENS',
  max_cost_usd: 'COST_USD',
} as const;

function acceptLimits(asked: NonNullable<ScheduleRequest['limits']>, config: Config): Limits {
  const limit = <K extends keyof typeof SETTING>(name: K) => {
    const ceiling = config[`CEILING_${SETTING[name]}`];
    const value = asked[name] ?? config[`LIMIT_${SETTING[name]}`];
    if (value !== undefined && ceiling !== undefined && value > ceiling)
      throw aboveCeiling(name, value, ceiling);
    return value;
  };
  const wanted = (name: Exclude<keyof typeof SETTING, 'max_cost_usd'>) => limit(name) ?? 0;
  return {
    cpus: wanted('cpus'),
    memory_mb: wanted('memory_mb'),
    disk_mb: wanted('disk_mb'),
    pids: wanted('pids'),
    timeout_s: wanted('timeout_s'),
    max_steps: wanted('max_steps'),
    max_tokens: wanted('max_tokens'),
    max_cost_usd: limit('max_cost_usd') ?? config.CEILING_COST_USD ?? null,
  };
}

function aboveCeiling(name: keyof typeof SETTING, asked: number, ceiling: number): CodedError {
  const message = `expected at most ${ceiling}; found ${asked}`;
  return new CodedError('LIMIT_ABOVE_CEILING', `limits.${name}: ${message}`, {
    faults: [{ path: `limits.${name}`, message }],
    hint: `Ask for at most ${ceiling}, or let the operator raise CEILING_${SETTING[name]}.`,
  });
}
