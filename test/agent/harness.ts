import { createHash } from 'node:crypto';
import type { AgentContext } from '../../src/agent/agent.ts';
import { addSpent, type Spent } from '../../src/agent/budget.ts';
import type { ContextSettings } from '../../src/agent/context/budget.ts';
import { layered } from '../../src/agent/context/layered.ts';
import type { ContextStrategy } from '../../src/agent/context/strategy.ts';
import { createAgent } from '../../src/agent/create-agent.ts';
import { inspectImage, type JobImages } from '../../src/agent/image.ts';
import { readConfig } from '../../src/config.ts';
import { createModel } from '../../src/model/create-model.ts';
import type { Conversation } from '../../src/model/scripted/conversation.ts';
import type { Script } from '../../src/model/scripted/script.ts';
import { startScriptedModelServer } from '../../src/model/scripted/server.ts';
import type { EventData, EventType, JobEvent, NewEvent } from '../../src/protocol/events.ts';
import type { Job, Limits, Usage } from '../../src/protocol/job.ts';
import { notebookOf } from '../../src/protocol/notebook.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { eventText } from '../../src/store/history/event-text.ts';

export interface AgentRunOptions {
  sandbox: Sandbox;
  prompt?: string;
  history?: JobEvent[];
  sandboxKept?: boolean;
  limits?: Partial<Limits>;
  signal?: AbortSignal;
  window?: Partial<ContextSettings>;
  strategy?: ContextStrategy;
  /** Told of each event as it is stored; may say something to the agent. */
  onEvent?: (event: JobEvent, run: AgentRun) => void;
}

export interface AgentRun {
  events: JobEvent[];
  logs: { stdout: string; stderr: string };
  /** A message of the user. */
  say(text: string): void;
  of<T extends EventType>(type: T): EventData<T>[];
}

const LIMITS: Limits = {
  cpus: 2,
  memory_mb: 512,
  disk_mb: 1_024,
  pids: 256,
  timeout_s: 600,
  max_steps: 50,
  max_tokens: 10_000_000,
  max_cost_usd: null,
};

/** A context as the worker would make it, over lists instead of a store. */
function makeContext(
  options: AgentRunOptions,
  model: AgentContext['model'],
): { run: AgentRun; context: AgentContext } {
  const events = [...(options.history ?? [])];
  const logs = { stdout: '', stderr: '' };
  let seen = events.length;
  let change = Promise.withResolvers<void>();
  const store = (event: NewEvent): JobEvent => {
    const stored = {
      ...structuredClone(event),
      seq: (events.at(-1)?.seq ?? 0) + 1,
      time: new Date().toISOString(),
    } as JobEvent;
    events.push(stored);
    return stored;
  };
  const run: AgentRun = {
    events,
    logs,
    say(text) {
      store({ type: 'message.user', data: { text } });
      change.resolve();
      change = Promise.withResolvers();
    },
    of: <T extends EventType>(type: T) =>
      events.flatMap((event) => (event.type === type ? [event.data as EventData<T>] : [])),
  };
  const newMessages = (most = Number.POSITIVE_INFINITY): JobEvent[] => {
    const found: JobEvent[] = [];
    for (; seen < events.length && found.length < most; seen += 1) {
      const event = events[seen];
      if (event?.type === 'message.user') found.push(event);
    }
    return found;
  };
  const context: AgentContext = {
    job: {
      id: 'test',
      request: {
        prompt: options.prompt ?? 'Do it.',
        network: { mode: 'public', allow: [] },
        privileges: 'user',
        secret_names: [],
        limits: { ...LIMITS, ...options.limits },
      },
      usage: usageOf(events),
    } as unknown as Job,
    sandbox: options.sandbox,
    history: [...events],
    sandboxKept: options.sandboxKept ?? true,
    env: ENV,
    model,
    window: { settings: { ...readConfig({}), ...options.window }, strategy: options.strategy ?? layered },
    signal: options.signal ?? new AbortController().signal,
    async append(...given) {
      const stored = given.map(store);
      for (const event of stored) options.onEvent?.(event, run);
      return stored;
    },
    async log(type, text) {
      logs[type] += text.toString();
    },
    redact: (text) => text.replaceAll('hunter2hunter2', '[secret]'),
    images: memoryImages(),
    async checkpoint() {
      return newMessages();
    },
    async notebook() {
      return notebookOf(events);
    },
    recall: {
      async search() {
        throw new Error('expected no search: these runs have no store');
      },
      async read(seq) {
        const event = events.find((each) => each.seq === seq);
        return event ? eventText(event) : null;
      },
    },
    desktopHolder: async () => null,
    portUrl: (port) => `http://${port}-job.localhost:8000/`,
    async waitForMessage() {
      for (;;) {
        const changed = change.promise;
        const [message] = newMessages(1);
        if (message) return message;
        await changed;
      }
    },
  };
  return { run, context };
}

function memoryImages(): JobImages {
  const kept = new Map<string, Buffer>();
  return {
    async save(bytes) {
      const id = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
      const inspected = inspectImage(bytes);
      kept.set(id, bytes);
      return { id, ...inspected, bytes: bytes.length };
    },
    load: async ({ id }) => kept.get(id) ?? null,
  };
}

/** As the job's row would have it. */
const usageOf = (events: readonly JobEvent[]): Usage => {
  const sum = events.reduce<Spent>(addSpent, { steps: 0, tokens: 0, costUsd: 0 });
  return {
    steps: sum.steps,
    input_tokens: sum.tokens,
    cached_input_tokens: 0,
    output_tokens: 0,
    cost_usd: sum.costUsd,
  };
};

export interface Outcome extends AgentRun {
  /** What the agent resolved with, or what it failed with. */
  result: Promise<{ summary: string }>;
}

export function startRunbook(options: AgentRunOptions): Outcome {
  const { run, context } = makeContext(options, null);
  return { ...run, result: createAgent('runbook')(context) };
}

/** Runs the llm agent against a scripted model server of its own, to its end. */
export async function runLlm(
  script: Script,
  options: AgentRunOptions & { model?: string; contextWindow?: number },
): Promise<Outcome & { requests: Conversation[] }> {
  const server = await startScriptedModelServer({ script });
  try {
    const model = createModel(
      {
        MODEL_TIMEOUT_S: 10,
        MODEL_CONTEXT_WINDOW: options.contextWindow,
        MODEL_IMAGES: true,
        OPENAI_API_KEY: undefined,
        OPENAI_BASE_URL: `${server.url}/v1`,
        ANTHROPIC_API_KEY: 'none',
        ANTHROPIC_BASE_URL: `${server.url}/v1`,
        GOOGLE_GENERATIVE_AI_API_KEY: undefined,
        GOOGLE_BASE_URL: undefined,
      },
      options.model ?? 'openai-compatible/scripted',
      { attempts: 4, baseDelayMs: 1, maxDelayMs: 5, maxRetryAfterMs: 1_000 },
    );
    const { run, context } = makeContext(options, model);
    const result = createAgent('llm')(context);
    await result.catch(() => undefined);
    return { ...run, result, requests: server.requests };
  } finally {
    await server.close();
  }
}

/** What every job of these tests has in its environment. */
export const ENV = { GREETING: 'hello', SECRET: 'hunter2hunter2' };

/** Empties the workspace and brings the shell session back to it. */
export async function cleanWorkspace(sandbox: Sandbox): Promise<void> {
  await sandbox.exec({ shell: 'find /workspace -mindepth 1 -delete' });
  await sandbox.shell({ command: 'cd /workspace; set +e', env: ENV });
}

export async function readText(sandbox: Sandbox, path: string): Promise<string> {
  const { bytes } = await sandbox.read(path);
  const chunks: Buffer[] = [];
  for await (const chunk of bytes as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
