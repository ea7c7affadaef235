import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { buildApi } from '../src/api/build-api.ts';
import { readConfig } from '../src/config.ts';
import { engineState } from '../src/sandbox/engine-state.ts';
import { openStore } from '../src/store/open-store.ts';

/** What the benches of the API send to /schedule. */
export const JOB = JSON.stringify({
  prompt: '```bash\necho hello\n```',
  agent: 'runbook',
  labels: { bench: 'yes' },
});

/** Runs `use` against the API over HTTP, on an embedded PostgreSQL of its own that syncs as a server's does. */
export async function withApi<T>(use: (url: string) => Promise<T>): Promise<T> {
  const DATA_DIR = await mkdtemp(join(tmpdir(), 'agent-bench-'));
  const log = pino({ level: 'silent' });
  const config = readConfig({ DATA_DIR });
  const store = await openStore(config, log);
  try {
    const none = { ready: true, detail: 'none' };
    const engine = async () => engineState(none, none);
    const app = await buildApi({ config, store, live: async () => null, engine, log, version: 'bench' });
    try {
      return await use(await app.listen({ host: '127.0.0.1', port: 0 }));
    } finally {
      await app.close();
    }
  } finally {
    await store.close();
    await rm(DATA_DIR, { recursive: true, force: true });
  }
}

/** Posts a job; gives its id. */
export async function post(url: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/schedule`, { method: 'POST', headers, body: JOB });
  if (response.status !== 202)
    throw new Error(`expected 202; found ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { job_id: string }).job_id;
}
