import { pino } from 'pino';
import { buildApi } from '../../src/api/build-api.ts';
import type { App, BuildApiOptions } from '../../src/api/options.ts';
import { newId } from '../../src/protocol/ids.ts';
import type { Job } from '../../src/protocol/job.ts';
import { engineState } from '../../src/sandbox/engine-state.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import type { Fence } from '../../src/store/fence.ts';
import { startAttempt } from '../../src/store/start-attempt.ts';
import type { Store } from '../../src/store/store.ts';
import { registerWorker } from '../../src/store/workers.ts';
import { openTestStore } from '../support/database.ts';

export const RUNBOOK = '```bash\necho hello\n```';

export interface TestApi {
  app: App;
  store: Store;
  url: string;
  /** What was logged, as JSON lines. */
  logged(): string;
  /** Schedules over HTTP and gives the job's id. */
  schedule(body?: object, headers?: Record<string, string>): Promise<string>;
  /** Takes a job as a worker does. */
  start(id: string): Promise<{ job: Job; lease: Fence }>;
  close(): Promise<void>;
}

interface Options extends Partial<Omit<BuildApiOptions, 'config' | 'store' | 'log'>> {
  env?: Record<string, string>;
}

/** The API on a free port of loopback, over a store of its own on a real PostgreSQL. */
export async function startApi({ env = {}, ...options }: Options = {}): Promise<TestApi> {
  const { store, config, close } = await openTestStore(env);
  const lines: string[] = [];
  const app = await buildApi({
    config,
    store,
    live: async () => null,
    engine: async () =>
      engineState({ ready: true, detail: 'an engine' }, { ready: true, detail: 'an image' }),
    log: pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) }),
    version: '0.0.0-test',
    ...options,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    app,
    store,
    url,
    logged: () => lines.join(''),
    async schedule(body = {}, headers = {}) {
      const response = await fetch(`${url}/schedule`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ prompt: RUNBOOK, ...body }),
      });
      if (response.status !== 202)
        throw new Error(`expected 202; found ${response.status}: ${await response.text()}`);
      return ((await response.json()) as { job_id: string }).job_id;
    },
    async start(id) {
      const worker = newId();
      await registerWorker(store, worker, {});
      const job = await startAttempt(store, { jobId: id, workerId: worker });
      if (!job) throw new Error(`expected to start job ${id}`);
      return { job, lease: { jobId: id, attempt: job.attempt } };
    },
    async close() {
      await app.close();
      await close();
    },
  };
}

export const KEY = 'a-key-of-enough-characters';

/** {@link startApi} with a job under way whose live sandbox is that one; `env.API_KEYS` is {@link KEY} or not there. */
export async function startLiveApi(
  sandbox: Sandbox,
  env: Record<string, string> = {},
): Promise<{ api: TestApi; id: string }> {
  let id = '';
  const api = await startApi({ env, live: async (job) => (job.id === id ? sandbox : null) });
  id = await api.schedule({}, env.API_KEYS === undefined ? {} : { 'x-api-key': KEY });
  await api.start(id);
  return { api, id };
}
