import { onTestFinished, vi } from 'vitest';
import { type Client, createClient, type Status } from '../../src/cli/client.ts';
import { type Server, startServer } from '../../src/cli/wire.ts';
import { type Config, readConfig } from '../../src/config.ts';
import type { EventData, EventType, JobEvent } from '../../src/protocol/events.ts';
import type { Job, ScheduleRequest } from '../../src/protocol/job.ts';
import { getJob } from '../../src/store/get-job.ts';
import type { Store } from '../../src/store/store.ts';
import { openTestStore } from './database.ts';
import { silent, testEngine } from './engines.ts';

// Whole jobs, several at a time on a small machine.
vi.setConfig({ testTimeout: 90_000 });

/** A whole server with a database of its own, and what tests do with one. */
export interface TestServer {
  url: string;
  server: Server;
  client: Client;
  config: Config;
  /** A second view of the database, beside the server's. */
  store: Store;
  schedule(request: ScheduleRequest): Promise<string>;
  job(id: string): Promise<Job>;
  /** The job's events once it has ended. */
  ended(id: string): Promise<JobEvent[]>;
  /** Resolves with the first event of this kind, as soon as there is one. */
  event<T extends EventType>(id: string, type: T): Promise<EventData<T>>;
  /** Schedules it and waits for its end. */
  run(request: ScheduleRequest): Promise<{ id: string; events: JobEvent[]; status: Status }>;
  log(id: string, type?: 'stdout' | 'stderr'): Promise<string>;
  /** Ids of the installation's sandboxes that are on the engine. */
  sandboxes(): Promise<string[]>;
}

/** Settings that suit small jobs on a shared machine; loopback is open to their egress. */
const SETTINGS = {
  PORT: '0',
  NOVNC_PORT: '0',
  WORKER_CONCURRENCY: '2',
  LIMIT_MEMORY_MB: '512',
  LIMIT_PIDS: '128',
  EGRESS_PRIVATE_ALLOW: '127.0.0.0/8',
  SHUTDOWN_GRACE_S: '0',
  SANDBOX_DRIVER: testEngine,
};

/** A server that is stopped, with its sandboxes and its database, when the test is over. */
export async function startTestServer(env: Record<string, string> = {}): Promise<TestServer> {
  const { store, config: base, close } = await openTestStore({ ...SETTINGS, ...env });
  const closing: (() => Promise<unknown>)[] = [close];
  onTestFinished(async () => {
    for (const end of closing) await end();
  });
  const config = readConfig({
    ...process.env,
    ...SETTINGS,
    DATA_DIR: base.DATA_DIR,
    DATABASE_URL: base.DATABASE_URL,
    ...env,
  });
  const server = await startServer(config, silent);
  closing.unshift(async () => {
    // What a test leaves under way would otherwise be kept for the next start.
    await store.db.updateTable('jobs').set({ sandbox: null }).execute();
    await server.close(0);
    await destroyAll(server);
  });
  return useServer(server, store);
}

async function destroyAll({ driver, store }: Server): Promise<void> {
  const left = await driver.list(store.installation);
  await Promise.all(left.map(({ handle }) => driver.destroy(handle)));
}

function useServer(server: Server, store: Store): TestServer {
  const client = createClient(server.url, server.config.API_KEYS[0]);
  const schedule = async (request: ScheduleRequest) => (await client.schedule(request)).job_id;
  async function ended(id: string) {
    const events: JobEvent[] = [];
    for await (const event of client.events(id)) events.push(event);
    return events;
  }
  return {
    url: server.url,
    server,
    client,
    config: server.config,
    store,
    schedule,
    ended,
    async job(id) {
      const job = await getJob(store, id);
      if (job === null) throw new Error(`Expected job ${id}; there is none`);
      return job;
    },
    async event(id, type) {
      for await (const event of client.events(id)) {
        if (event.type === type) return event.data as EventData<typeof type>;
      }
      throw new Error(`Expected an event ${type} of job ${id}; it ended without one`);
    },
    async run(request) {
      const id = await schedule(request);
      return { id, events: await ended(id), status: await client.status(id) };
    },
    async log(id, type = 'stdout') {
      const pieces: Buffer[] = [];
      for await (const bytes of client.log(id, type, 0)) pieces.push(bytes);
      return Buffer.concat(pieces).toString();
    },
    async sandboxes() {
      return (await server.driver.list(store.installation)).map(({ handle }) => handle.id);
    },
  };
}

/** A runbook of these shell blocks. */
export const runbook = (...blocks: string[]): string =>
  blocks.map((code, i) => `## Block ${i + 1}\n\n\`\`\`bash\n${code}\n\`\`\`\n`).join('\n');

/** The data of all events of a kind. */
export function dataOf<T extends EventType>(events: JobEvent[], type: T): EventData<T>[] {
  return events.flatMap((event) => (event.type === type ? [event.data as EventData<T>] : []));
}
