import { ScheduleRequest } from '../protocol/job.ts';

const ID = '1kqv8h2n5c9r4t7w3x6y0z';
const BASE = 'http://127.0.0.1:8000';
const OUTPUT = {
  bytes: 48_211,
  files: 17,
  left_out: 2,
  sha256: 'b'.repeat(64),
  expires: '2026-12-23T10:12:40.000Z',
};
const LIMITS = {
  cpus: 2,
  memory_mb: 2_048,
  disk_mb: 8_192,
  pids: 512,
  timeout_s: 3_600,
  max_steps: 200,
  max_tokens: 10_000_000,
  max_cost_usd: null,
};

/** Answers and bodies that the OpenAPI document shows; a test holds them against their schemas. */
export const EXAMPLE_ID = ID;

export const EXAMPLE_REQUEST: ScheduleRequest = ScheduleRequest.parse({
  prompt: 'Write hello.txt.\n\n```bash\necho "hello" > hello.txt\n```\n',
  agent: 'runbook',
  labels: { team: 'web' },
});

export const EXAMPLE_SCHEDULED = {
  job_id: ID,
  status: 'scheduled',
  status_link: `${BASE}/status/${ID}`,
  logs_link: `${BASE}/logs/${ID}`,
  events_link: `${BASE}/events/${ID}`,
  desktop_link: `${BASE}/desktop/${ID}`,
} as const;

export const EXAMPLE_STATUS = {
  job_id: ID,
  status: 'complete',
  output: `/var/lib/containerized-agent/outputs/${ID}.zip`,
  download_link: `${BASE}/download/${ID}`,
  logs_link: `${BASE}/logs/${ID}`,
  created: '2026-11-23T10:12:30.000Z',
  started: '2026-11-23T10:12:31.000Z',
  completed: '2026-11-23T10:12:40.000Z',
  error: null,
} as const;

export const EXAMPLE_SUMMARY = {
  job_id: ID,
  status: 'failed',
  agent: 'runbook',
  prompt: EXAMPLE_REQUEST.prompt,
  labels: { team: 'web' },
  created: '2026-11-23T10:12:30.000Z',
  started: '2026-11-23T10:12:31.000Z',
  completed: '2026-11-23T10:12:40.000Z',
  error: {
    code: 'RUNBOOK_BLOCK_FAILED',
    message: 'block 1 (bash) ended with exit code 1',
    hint: 'The log has what it printed.',
  },
  status_link: `${BASE}/status/${ID}`,
} as const;

export const EXAMPLE_JOB = {
  job_id: ID,
  status: 'complete',
  request: {
    prompt: EXAMPLE_REQUEST.prompt,
    agent: 'runbook',
    model: null,
    files: [],
    git: null,
    env: {},
    secret_names: [],
    network: { mode: 'public', allow: [] },
    limits: LIMITS,
    privileges: 'user',
    desktop: { width: 1_280, height: 800 },
    output: { include: ['**'], exclude: ['**/node_modules/**'] },
    labels: { team: 'web' },
    priority: 0,
    callback_url: null,
  },
  created: '2026-11-23T10:12:30.000Z',
  started: '2026-11-23T10:12:31.000Z',
  completed: '2026-11-23T10:12:40.000Z',
  error: null,
  attempts: 1,
  worker: '1kqv8h2n5cworkerworker',
  sandbox: null,
  usage: { steps: 0, input_tokens: 0, cached_input_tokens: 0, output_tokens: 0, cost_usd: 0 },
  limits: LIMITS,
  paused: false,
  plan: [],
  notes: [],
  output: OUTPUT,
  links: { status: `${BASE}/status/${ID}`, download: `${BASE}/download/${ID}` },
} as const;

export const EXAMPLE_CONTEXT = {
  job_id: ID,
  step: 42,
  event: 181,
  time: '2026-11-23T10:12:40.000Z',
  model: 'anthropic/claude-sonnet-5-5',
  window: 200_000,
  most_tokens: 168_000,
  usage: { input_tokens: 61_204, cached_input_tokens: 60_118, output_tokens: 212, cost_usd: 0.0163 },
  summarised_through: 40,
  summary: '## State\nThe parser works; its tests pass.',
  steps: [{ step: 41, event: 174, shown: 'whole', tokens: 1_020 }],
  compactions: [
    {
      event: 177,
      kind: 'summary',
      from_step: 1,
      through_step: 40,
      author: 'model',
      fault: null,
      tokens_before: 152_310,
      tokens_after: 60_922,
      usage: { input_tokens: 152_001, cached_input_tokens: 151_880, output_tokens: 1_840, cost_usd: 0.0338 },
    },
  ],
  messages: [{ role: 'user', content: [{ type: 'text', text: EXAMPLE_REQUEST.prompt }] }],
} as const;

export const EXAMPLE_LOGS = {
  job_id: ID,
  log_type: 'stdout',
  last_1000_lines: 'hello\n',
  full_log: 'hello\n',
  full_log_link: `${BASE}/logs/${ID}/stdout`,
} as const;

export const EXAMPLE_EVENT = {
  seq: 1,
  time: '2026-11-23T10:12:30.000Z',
  type: 'job.scheduled',
  data: { agent: 'runbook', model: null },
} as const;

export const EXAMPLE_FILE = {
  path: 'src/main.ts',
  type: 'file',
  size: 812,
  mode: 0o644,
  modified: '2026-11-23T10:12:35.000Z',
  target: null,
} as const;

export const EXAMPLE_SANDBOX = {
  sandbox_id: ID,
  status: 'running',
  created: '2026-11-23T12:00:00.000Z',
  ready: '2026-11-23T12:00:00.400Z',
  expires: '2026-11-23T12:10:00.400Z',
  ends: '2026-11-23T13:00:00.000Z',
  ended: null,
  idle_s: 600,
  error: null,
  labels: {},
  limits: EXAMPLE_JOB.limits,
  links: { self: `${BASE}/sandboxes/${ID}`, exec: `${BASE}/exec/${ID}` },
} as const;
