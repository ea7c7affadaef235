import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { OwnCatalog } from './protocol/catalog.ts';

const flag = z.stringbool({ truthy: ['true', '1', 'yes'], falsy: ['false', '0', 'no'] });
const whole = (low: number, high: number) => z.coerce.number().int().min(low).max(high);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
);

/** JSON, or the name of a file that holds it. */
const catalog = z.string().transform((text, context): OwnCatalog => {
  try {
    const json = text.trimStart().startsWith('{') ? text : readFileSync(text, 'utf8');
    return OwnCatalog.parse(JSON.parse(json));
  } catch (error) {
    const fault = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    context.addIssue(
      `expected JSON such as {"openai-compatible/NAME": {"context": 131072}}, or its file: ${fault}`,
    );
    return z.NEVER;
  }
});

/** Every setting: an environment variable with its type, range, default and reason. docs/settings.md is generated from it. */
export const Settings = z.object({
  HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address to listen on. Anything but loopback needs API_KEYS.'),
  PORT: whole(0, 65_535).default(8000).describe('Port of the API; 0 takes a free one.'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Where clients reach the API, for the links in answers. Default: the address the request came to.',
    ),
  NOVNC_PORT: whole(0, 65_535)
    .default(6080)
    .describe('Port of the list of live desktops; 0 takes a free one.'),
  PORTS_DOMAIN: z
    .string()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'expected a domain name in lower case')
    .default('localhost')
    .describe(
      'Domain below which programs in sandboxes have addresses of their own, PORT-ID.DOMAIN. Browsers take *.localhost to this machine; point *.DOMAIN of another one here. It must not be a domain that anything else trusts.',
    ),
  DATA_DIR: z
    .string()
    .default('./data')
    .describe('Folder of the embedded PostgreSQL, outputs and the key of the secrets.'),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('A PostgreSQL of your own (14 or newer); unset starts the embedded one.'),
  API_KEYS: list
    .default([])
    .describe(
      'Comma-separated keys (16 characters or more) that clients must send one of. Empty asks for none, on loopback only.',
    ),
  SECRETS_KEY: z
    .base64()
    .optional()
    .describe(
      '32 bytes in base64 that job secrets are encrypted with. Default: made once, in DATA_DIR; needed where several machines share a database.',
    ),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severe log line that is written.'),
  LOG_FORMAT: z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('auto: pretty on a terminal, else JSON lines.'),

  MODEL: z
    .string()
    .regex(
      /^(anthropic|openai|google|openai-compatible)\/.+$/,
      'expected provider/name with a provider of anthropic, openai, google or openai-compatible',
    )
    .optional()
    .describe('Model for jobs that name none.'),
  MODEL_CONTEXT_WINDOW: whole(4_000, 100_000_000)
    .optional()
    .describe("Tokens of the model's window, for a model that is not known."),
  MODEL_CATALOG: catalog
    .optional()
    .describe(
      'Windows and prices of models, as JSON or the name of a file with it: {"provider/name": {"context": tokens, "price": {"input", "output", "cache_read", "cache_write"}, "price_above": {"tokens", "price"}}}, in US dollars a million tokens. Goes before what is known, and before MODEL_CONTEXT_WINDOW.',
    ),
  MODEL_IMAGES: flag
    .default(true)
    .describe(
      'Whether the model can be shown images: plots and screenshots. Set it to no for one of text alone.',
    ),
  CONTEXT_COMPACT_AT: z.coerce
    .number()
    .min(0.3)
    .max(0.98)
    .default(0.9)
    .describe(
      "Share of the model's window, less the reply's room, that a request may fill before older steps are compacted.",
    ),
  CONTEXT_PATIENCE: z.coerce
    .number()
    .min(0.1)
    .max(1_000)
    .default(2)
    .describe(
      'Older steps are compacted once carrying them along has cost so many times what compacting them costs, by the prices of the model. 1 is the cheapest; 4 pays a quarter more for both and shows twice as many older steps; 1000 waits until the window is full.',
    ),
  CONTEXT_MOST_TOKENS: whole(4_000, 100_000_000)
    .default(100_000)
    .describe(
      'Tokens of a request at which older steps are compacted in any case: the longest that is wanted, whatever the window.',
    ),
  CONTEXT_KEEP_RECENT: z.coerce
    .number()
    .min(0.05)
    .max(0.8)
    .default(0.15)
    .describe('Share of the room for steps that the newest ones keep, word for word, in a compaction.'),
  CONTEXT_SUMMARY_TOKENS: whole(200, 100_000)
    .default(6_000)
    .describe("Most tokens of the summary of older steps; at most an eighth of the model's window."),
  CONTEXT_RESULT_SHARE: z.coerce
    .number()
    .min(0.01)
    .max(0.5)
    .default(0.06)
    .describe(
      "Share of the model's window that one tool result is shown in; of a longer one the head and the tail.",
    ),
  CONTEXT_REPLY_TOKENS: whole(500, 1_000_000)
    .default(16_000)
    .describe("Tokens of the model's window kept free for its reply; at most a quarter of it."),
  MODEL_TIMEOUT_S: whole(5, 3_600)
    .default(300)
    .describe("Longest wait for the next piece of a model's reply."),
  ANTHROPIC_API_KEY: z.string().optional().describe('Key of provider anthropic.'),
  ANTHROPIC_BASE_URL: z.url().optional().describe('Another address for provider anthropic.'),
  OPENAI_API_KEY: z.string().optional().describe('Key of providers openai and openai-compatible.'),
  OPENAI_BASE_URL: z
    .url()
    .optional()
    .describe('Another address for provider openai; required for openai-compatible.'),
  GOOGLE_GENERATIVE_AI_API_KEY: z.string().optional().describe('Key of provider google.'),
  GOOGLE_BASE_URL: z.url().optional().describe('Another address for provider google.'),

  SANDBOX_DRIVER: z
    .enum(['oci', 'docker'])
    .optional()
    .describe(
      'Engine that sandboxes run on. Default: oci (an OCI runtime, started directly) where it can run and DOCKER_HOST is unset, else docker.',
    ),
  SANDBOX_IMAGE: z
    .string()
    .optional()
    .describe('Image of the sandboxes. Default: the one that set-up makes from this source.'),
  SANDBOX_RUNTIME: z
    .string()
    .regex(/^[\w.-]+$/)
    .optional()
    .describe("OCI runtime of the engine, such as runc or runsc. Default: the engine's own; runc with oci."),
  OCI_DIR: z
    .string()
    .regex(/^\/[^:,\\]*$/, 'expected an absolute path without ":", "," and "\\"')
    .default('/var/lib/containerized-agent')
    .describe(
      'Folder of the driver oci, shared by all servers of a machine: images, and the disks of sandboxes.',
    ),
  OCI_FIRST_UID: whole(65_536, 4_294_000_000)
    .default(1_900_000_000)
    .describe(
      'With the driver oci, the user outside that root inside is; the 65,536 from it on must be nobody else. Default: where no system allots any.',
    ),
  SANDBOX_CA_CERTS: z
    .string()
    .optional()
    .describe(
      'File of extra CA certificates that sandboxes trust. Default: NODE_EXTRA_CA_CERTS, then SSL_CERT_FILE.',
    ),
  WORKER_CONCURRENCY: whole(0, 1_000)
    .default(4)
    .describe('Jobs run at once by this process; 0 makes it an API node only.'),
  WARM_SANDBOXES: whole(0, 100).default(0).describe('Sandboxes kept started for jobs with default limits.'),
  MAX_SANDBOXES: whole(0, 100_000)
    .default(16)
    .describe('Sandboxes without an agent (POST /sandboxes) that may live at once; 0 allows none.'),
  ALLOW_ROOT: flag
    .default(false)
    .describe('Let jobs ask for root inside on an engine that does not map it to nobody.'),
  EGRESS_PRIVATE_ALLOW: list
    .default([])
    .describe('Private ranges (CIDR) that sandboxes may reach after all.'),

  LIMIT_CPUS: z.coerce.number().positive().default(2).describe('Default of limits.cpus.'),
  LIMIT_MEMORY_MB: whole(128, 4_194_304).default(2_048).describe('Default of limits.memory_mb.'),
  LIMIT_DISK_MB: whole(64, 16_777_216).default(8_192).describe('Default of limits.disk_mb.'),
  LIMIT_PIDS: whole(32, 1_000_000).default(512).describe('Default of limits.pids.'),
  LIMIT_TIMEOUT_S: whole(1, 31_536_000).default(3_600).describe('Default of limits.timeout_s.'),
  LIMIT_STEPS: whole(1, 1_000_000).default(200).describe('Default of limits.max_steps.'),
  LIMIT_TOKENS: whole(1_000, 100_000_000_000).default(10_000_000).describe('Default of limits.max_tokens.'),
  LIMIT_COST_USD: z.coerce
    .number()
    .positive()
    .optional()
    .describe('Default of limits.max_cost_usd; unset sets none.'),
  CEILING_CPUS: z.coerce.number().positive().default(16).describe('Most that limits.cpus may ask for.'),
  CEILING_MEMORY_MB: whole(128, 4_194_304)
    .default(16_384)
    .describe('Most that limits.memory_mb may ask for.'),
  CEILING_DISK_MB: whole(64, 16_777_216).default(65_536).describe('Most that limits.disk_mb may ask for.'),
  CEILING_PIDS: whole(32, 1_000_000).default(4_096).describe('Most that limits.pids may ask for.'),
  CEILING_TIMEOUT_S: whole(1, 31_536_000)
    .default(604_800)
    .describe('Most that limits.timeout_s may ask for.'),
  CEILING_STEPS: whole(1, 1_000_000).default(10_000).describe('Most that limits.max_steps may ask for.'),
  CEILING_TOKENS: whole(1_000, 100_000_000_000)
    .default(1_000_000_000)
    .describe('Most that limits.max_tokens may ask for.'),
  CEILING_COST_USD: z.coerce
    .number()
    .positive()
    .optional()
    .describe('Most that limits.max_cost_usd may ask for, and its default where LIMIT_COST_USD is unset.'),

  MAX_BODY_MB: whole(1, 1_024).default(16).describe('Largest JSON body.'),
  MAX_UPLOAD_MB: whole(1, 1_048_576).default(2_048).describe('Largest multipart body.'),
  MAX_OUTPUT_MB: whole(1, 1_048_576)
    .default(2_048)
    .describe('Most bytes of files that go into an output.zip; the rest is listed as left out.'),
  MAX_LOG_MB: whole(1, 65_536)
    .default(64)
    .describe(
      "Most that is kept of each of a job's logs. Of a longer one the middle is left out: its last MiB follows when the job ends.",
    ),
  MAX_QUEUED_JOBS: whole(1, 10_000_000)
    .default(100_000)
    .describe('Most jobs that may wait; more are refused with 429.'),
  RATE_LIMIT_PER_MINUTE: whole(0, 10_000_000)
    .default(0)
    .describe('Requests a minute from one key or address; 0 sets no limit.'),
  QUEUE_TIMEOUT_S: whole(1, 31_536_000)
    .default(604_800)
    .describe('Longest time a job may wait for a worker.'),
  WAITING_TIMEOUT_S: whole(1, 31_536_000)
    .default(86_400)
    .describe('Longest time a job may wait for an answer or be paused.'),
  SHUTDOWN_GRACE_S: whole(0, 86_400)
    .default(10)
    .describe('How long running jobs may go on after SIGTERM before they are handed back to the queue.'),
  RETENTION_DAYS: z.coerce
    .number()
    .positive()
    .max(36_500)
    .default(30)
    .describe(
      'Days that an ended job keeps its output, inputs and logs; its record and events stay twice as long.',
    ),
});
export type Config = z.infer<typeof Settings>;

/** A setting is wrong; the message names every one with what was expected and what was found. */
export class ConfigError extends Error {}

/**
 * The settings from the environment (empty variables count as unset).
 * @throws ConfigError naming each wrong variable, what was expected and what was found.
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(
    Object.keys(Settings.shape).flatMap((name) => (env[name] ? [[name, env[name]]] : [])),
  );
  const parsed = Settings.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(
      (issue) =>
        `  ${issue.path.join('.')}: ${issue.message}; found ${JSON.stringify(given[String(issue.path[0])])}`,
    );
    throw new ConfigError(`These settings are wrong:\n${lines.join('\n')}`);
  }
  const config = { ...parsed.data, DATA_DIR: resolve(parsed.data.DATA_DIR) };
  const wrong = contradictions(config);
  if (wrong.length > 0)
    throw new ConfigError(`These settings are wrong:\n${wrong.map((line) => `  ${line}`).join('\n')}`);
  return config;
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

function contradictions(config: Config): string[] {
  const wrong: string[] = [];
  const short = config.API_KEYS.filter((key) => key.length < 16).length;
  if (short > 0)
    wrong.push(`API_KEYS: expected keys of at least 16 characters; ${short} of them are shorter`);
  if (!LOOPBACK.test(config.HOST) && config.API_KEYS.length === 0) {
    wrong.push(
      `HOST: found "${config.HOST}", reachable from other machines, while API_KEYS is empty; set API_KEYS, or keep HOST on 127.0.0.1`,
    );
  }
  if (config.MODEL?.startsWith('openai-compatible/') && !config.OPENAI_BASE_URL) {
    wrong.push(
      'OPENAI_BASE_URL: expected the address of the server that MODEL=openai-compatible/... means; it is unset',
    );
  }
  if (config.SECRETS_KEY && Buffer.from(config.SECRETS_KEY, 'base64').length !== 32) {
    wrong.push('SECRETS_KEY: expected 32 bytes in base64');
  }
  for (const name of [
    'CPUS',
    'MEMORY_MB',
    'DISK_MB',
    'PIDS',
    'TIMEOUT_S',
    'STEPS',
    'TOKENS',
    'COST_USD',
  ] as const) {
    const limit = config[`LIMIT_${name}`];
    const ceiling = config[`CEILING_${name}`];
    if (limit !== undefined && ceiling !== undefined && limit > ceiling) {
      wrong.push(`LIMIT_${name}: expected at most CEILING_${name} (${ceiling}); found ${limit}`);
    }
  }
  return wrong;
}
