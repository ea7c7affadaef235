import type { AgentContext } from '../../src/agent/agent.ts';
import type { ContextStrategy } from '../../src/agent/context/strategy.ts';
import { createAgent } from '../../src/agent/create-agent.ts';
import { recallFrom } from '../../src/agent/recall.ts';
import { readConfig } from '../../src/config.ts';
import { createModel } from '../../src/model/create-model.ts';
import { startScriptedModelServer } from '../../src/model/scripted/server.ts';
import type { AcceptedRequest, Job } from '../../src/protocol/job.ts';
import { addMessage } from '../../src/store/add-message.ts';
import { appendEvents } from '../../src/store/append-events.ts';
import { endJob } from '../../src/store/end-job.ts';
import { readNotebook } from '../../src/store/read-notebook.ts';
import { scheduleJob } from '../../src/store/schedule-job.ts';
import { startAttempt } from '../../src/store/start-attempt.ts';
import type { Store } from '../../src/store/store.ts';
import { Actor } from './actor.ts';
import { measure, type Outcome, type Request } from './outcome.ts';
import { PrefixCache } from './prefix-cache.ts';
import { workspace } from './workspace.ts';
import { World, type WorldOptions } from './world.ts';

export interface RunOptions extends WorldOptions {
  strategy: ContextStrategy;
  /** Tokens. */
  window: number;
  /** The server's, those about the context: to be tried. */
  settings?: Record<string, string>;
}

const PROMPT =
  'Work through all parts with ./work.sh, in order, and answer the questions that ./question.sh asks in between. What you need for an answer has come up in the work.';

/** Runs one job from its first step to its last: the loop, the store and the wire are the real ones. */
export async function runContextJob(store: Store, options: RunOptions): Promise<Outcome> {
  const world = new World(options);
  const actor = new Actor(world);
  const cache = new PrefixCache();
  const requests: Request[] = [];
  const server = await startScriptedModelServer({
    keepRequests: 1,
    script(conversation) {
      const { tokens } = conversation;
      if (tokens > options.window) {
        requests.push({ tokens, cached: 0, refused: true });
        return { faults: [{ overflow: true }] };
      }
      const cached = cache.add(conversation);
      requests.push({ tokens, cached, refused: false });
      return { ...actor.reply(conversation), usage: { input: tokens, cached } };
    },
  });
  try {
    const job = await startJob(store, options);
    const fence = { jobId: job.id, attempt: job.attempt };
    const context = contextOf(store, job, options, server.url, world, actor);
    const { summary } = await createAgent('llm')(context);
    await endJob(store, fence, { status: 'complete', error: null, summary });
    return await measure(store, job.id, options, world, actor.answers, requests);
  } finally {
    await server.close();
  }
}

async function startJob(store: Store, options: RunOptions): Promise<Job> {
  const request = {
    prompt: PROMPT,
    agent: 'llm',
    model: 'openai-compatible/scripted',
    files: [],
    git: null,
    env: {},
    secret_names: [],
    network: { mode: 'none', allow: [] },
    limits: {
      cpus: 1,
      memory_mb: 512,
      disk_mb: 512,
      pids: 128,
      timeout_s: 86_400,
      max_steps: 10 * options.steps,
      max_tokens: Number.MAX_SAFE_INTEGER,
      max_cost_usd: null,
    },
    privileges: 'user',
    desktop: { width: 1_280, height: 800 },
    output: { include: ['**'], exclude: [] },
    labels: {},
    priority: 0,
    callback_url: null,
  } satisfies AcceptedRequest;
  const scheduled = await scheduleJob(store, { request, secrets: {}, inputs: null, idempotency: null });
  const job = await startAttempt(store, { jobId: scheduled.job.id, workerId: 'bench' });
  if (!job) throw new Error('expected to start the job');
  return job;
}

/** As the worker makes it, but for the sandbox, and for the user, who speaks when the world says so. */
function contextOf(
  store: Store,
  job: Job,
  { strategy, window, settings }: RunOptions,
  url: string,
  world: World,
  actor: Actor,
): AgentContext {
  const config = readConfig({
    ...settings,
    OPENAI_BASE_URL: `${url}/v1`,
    MODEL_CONTEXT_WINDOW: String(window),
  });
  let spoken = -1;
  return {
    job,
    sandbox: workspace(world),
    history: [],
    sandboxKept: true,
    env: {},
    model: createModel(config, 'openai-compatible/scripted'),
    window: { settings: config, strategy },
    signal: new AbortController().signal,
    append: (...events) => appendEvents(store, { jobId: job.id, attempt: job.attempt }, events),
    log: async () => {},
    redact: (text) => text,
    portUrl: () => '',
    images: {
      save: () => Promise.reject(new Error('expected no image')),
      load: async () => null,
    },
    async checkpoint() {
      const { next } = actor;
      if (next === spoken || next >= world.options.steps) return [];
      spoken = next;
      const { message } = world.work(next);
      return message === null ? [] : [await addMessage(store, job.id, message)];
    },
    notebook: () => readNotebook(store, job.id),
    recall: recallFrom(store, job.id),
    desktopHolder: async () => null,
    waitForMessage: () => Promise.reject(new Error('expected no question to the user')),
  };
}
