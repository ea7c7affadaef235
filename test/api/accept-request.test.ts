import { describe, expect, it } from 'vitest';
import { acceptRequest, DEFAULT_EXCLUDES } from '../../src/api/accept-request.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { CodedError, type Fault } from '../../src/protocol/errors.ts';
import { ScheduleRequest } from '../../src/protocol/job.ts';

const RUNBOOK = '```bash\ntrue\n```';
const ANTHROPIC = { MODEL: 'anthropic/claude-sonnet-5', ANTHROPIC_API_KEY: 'sk-1' };

interface Given {
  env?: Record<string, string>;
  rootIsSafe?: boolean;
}

function accept(request: object, { env = {}, rootIsSafe = false }: Given = {}) {
  const config: Config = readConfig(env);
  return acceptRequest(ScheduleRequest.parse({ prompt: RUNBOOK, ...request }), {
    config,
    rootIsSafe,
    uploads: [],
  });
}

function refusal(request: object, given: Given = {}): CodedError {
  try {
    accept(request, given);
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('the agent', () => {
  it('is llm where a model is configured, even for a prompt that has blocks', () => {
    expect(accept({}, { env: ANTHROPIC }).request).toMatchObject({ agent: 'llm', model: ANTHROPIC.MODEL });
  });

  it('is llm where the request names a model', () => {
    const { request } = accept({ model: 'openai/gpt-5' }, { env: { OPENAI_API_KEY: 'sk-1' } });
    expect(request).toMatchObject({ agent: 'llm', model: 'openai/gpt-5' });
  });

  it('is runbook where no model is configured and the prompt has a block', () => {
    expect(accept({}).request).toMatchObject({ agent: 'runbook', model: null });
  });

  it('is what was asked for', () => {
    expect(accept({ agent: 'runbook' }, { env: ANTHROPIC }).request.agent).toBe('runbook');
  });

  it.each([
    [{ prompt: 'Build an app' }, {}, 'MODEL_NOT_CONFIGURED', 'MODEL is unset'],
    [{ agent: 'llm' }, {}, 'MODEL_NOT_CONFIGURED', 'MODEL is unset'],
    [{}, { MODEL: ANTHROPIC.MODEL }, 'MODEL_NOT_CONFIGURED', 'ANTHROPIC_API_KEY'],
    [{ model: 'openai/gpt-5' }, ANTHROPIC, 'MODEL_NOT_CONFIGURED', 'OPENAI_API_KEY'],
    [{ model: 'google/gemini-3' }, {}, 'MODEL_NOT_CONFIGURED', 'GOOGLE_GENERATIVE_AI_API_KEY'],
    [{ model: 'openai-compatible/x' }, {}, 'MODEL_NOT_CONFIGURED', 'OPENAI_BASE_URL'],
    [{ model: 'mistral/large' }, {}, 'MODEL_UNKNOWN', 'mistral'],
    [{ model: 'constructor/x' }, {}, 'MODEL_UNKNOWN', 'constructor'],
    [{ agent: 'runbook', prompt: 'no block' }, {}, 'RUNBOOK_EMPTY', 'block'],
    [{ agent: 'runbook', model: 'openai/x' }, {}, 'INVALID_REQUEST', 'runbook'],
  ])('%j with %j is refused: %s', (request, env, code, words) => {
    const error = refusal(request, { env });
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.hint).not.toBe('');
  });
});

describe('limits', () => {
  it('have the defaults of the settings', () => {
    expect(accept({ limits: { cpus: 0.5 } }, { env: { LIMIT_PIDS: '99' } }).request.limits).toEqual({
      cpus: 0.5,
      memory_mb: 2_048,
      disk_mb: 8_192,
      pids: 99,
      timeout_s: 3_600,
      max_steps: 200,
      max_tokens: 10_000_000,
      max_cost_usd: null,
    });
  });

  it('cost at most the ceiling where no default is set', () => {
    expect(accept({}, { env: { CEILING_COST_USD: '5' } }).request.limits.max_cost_usd).toBe(5);
  });

  it.each([
    ['cpus', 17],
    ['memory_mb', 16_385],
    ['disk_mb', 65_537],
    ['pids', 4_097],
    ['timeout_s', 604_801],
    ['max_steps', 10_001],
    ['max_tokens', 1_000_000_001],
  ])('%s above the ceiling is refused with what was asked and what may be', (name, asked) => {
    const error = refusal({ limits: { [name]: asked } });
    const [fault] = error.faults as Fault[];
    if (error.code !== 'LIMIT_ABOVE_CEILING') throw error;
    expect(fault).toEqual({
      path: `limits.${name}`,
      message: `expected at most ${asked - 1}; found ${asked}`,
    });
    expect(error.hint).toMatch(/CEILING_[A-Z]+/);
  });

  it('max_cost_usd has a ceiling where the operator set one', () => {
    expect(accept({ limits: { max_cost_usd: 9 } }).request.limits.max_cost_usd).toBe(9);
    expect(refusal({ limits: { max_cost_usd: 9 } }, { env: { CEILING_COST_USD: '5' } }).code).toBe(
      'LIMIT_ABOVE_CEILING',
    );
  });
});

describe('privileges', () => {
  it('are root where that is nobody outside, or the operator allows it', () => {
    expect(accept({ privileges: 'root' }, { rootIsSafe: true }).request.privileges).toBe('root');
    expect(accept({ privileges: 'root' }, { env: { ALLOW_ROOT: 'true' } }).request.privileges).toBe('root');
    expect(refusal({ privileges: 'root' }).code).toBe('PRIVILEGES_NOT_ALLOWED');
  });
});

describe('what belongs together', () => {
  it('keeps the values of secrets apart', () => {
    const { request, secrets } = accept({ secrets: { TOKEN: 'hunter2' }, env: { A: 'b' } });
    expect(secrets).toEqual({ TOKEN: 'hunter2' });
    expect(request.secret_names).toEqual(['TOKEN']);
    expect(JSON.stringify(request)).not.toContain('hunter2');
  });

  it('leaves dependencies and caches out of the output, unless told otherwise', () => {
    expect(accept({}).request.output).toEqual({ include: ['**'], exclude: DEFAULT_EXCLUDES });
    expect(accept({ output: { exclude: [] } }).request.output.exclude).toEqual([]);
    expect(DEFAULT_EXCLUDES.join()).not.toMatch(/git|dist/);
  });

  it.each([
    [{ env: { A: '1' }, secrets: { A: 'secret' } }, 'secrets.A'],
    [{ git: { url: 'https://example.com/a.git' }, network: { mode: 'none' } }, 'git'],
    [{ files: [file('a'), file('./a')] }, 'files.1.path'],
    [{ files: [file('a'), file('a/b')] }, 'files.1.path'],
    [{ files: [file('a/b/c'), file('a')] }, 'files.0.path'],
    [{ files: [file('a/')] }, 'files.0.path'],
    [{ files: [file('.')] }, 'files.0.path'],
    [{ files: [file('x'.repeat(300))] }, 'files.0.path'],
  ])('refuses %j at %s', (request, path) => {
    const error = refusal(request);
    expect(error.code).toBe('INVALID_REQUEST');
    expect(error.faults?.map((fault) => fault.path)).toContain(path);
  });

  it('knows how long the files are', () => {
    const files = [
      { path: 'a', content: 'é', executable: true },
      { path: 'b', content_base64: 'AAEC' },
    ];
    expect(accept({ files }).request.files).toEqual([
      { path: 'a', bytes: 2, executable: true },
      { path: 'b', bytes: 3, executable: false },
    ]);
  });
});

function file(path: string) {
  return { path, content: '' };
}
