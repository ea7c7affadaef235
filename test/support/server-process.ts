import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { type Client, createClient } from '../../src/cli/client.ts';
import { type EmbeddedPostgres, startEmbedded } from '../../src/store/embedded/start-embedded.ts';
import { abortable } from '../../src/worker/abortable.ts';
import { silent, testDriver, testEngine } from './engines.ts';

/** Starts and ends take seconds, on a machine that is busy with others. */
const LIMIT_MS = 45_000;
const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

export interface ServerProcess {
  child: ChildProcess;
  url: string;
  client: Client;
  /** Ends it with this signal; resolves with its exit code, null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** A data folder that goes with the test, with whatever runs on it; a sandbox that is left by then fails the test. */
export async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-test-'));
  onTestFinished(async () => {
    // A server that was killed leaves its PostgreSQL; it is taken over and stopped.
    const postgres = await startEmbedded({ dataDir: folder, log: silent });
    const left = await destroyAllOf(postgres);
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
    expect(left, 'sandboxes that the servers have left').toEqual([]);
  });
  return folder;
}

/** Destroys the sandboxes of the installation whose database this is. @returns their ids. */
async function destroyAllOf({ connection }: EmbeddedPostgres): Promise<string[]> {
  const client = new pg.Client(connection);
  await client.connect();
  const { rows } = await client.query('select id from installation').finally(() => client.end());
  const driver = testDriver();
  const left = await driver.list(rows[0].id);
  await Promise.all(left.map(({ handle }) => driver.destroy(handle)));
  return left.map(({ handle }) => handle.id);
}

/** `serve` as a process of its own, on a free port, with the embedded PostgreSQL. Killed with the test. */
export async function spawnServer(dataDir: string, env: Record<string, string> = {}): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      PORT: '0',
      NOVNC_PORT: '0',
      LOG_LEVEL: 'warn',
      LIMIT_MEMORY_MB: '512',
      SANDBOX_DRIVER: testEngine,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const exited = once(child, 'exit') as Promise<[number | null]>;
  /** What it waits for in vain is told with what the server has said; then it is killed. */
  async function inTime<T>(what: string, waited: Promise<T>): Promise<T> {
    const late = AbortSignal.timeout(LIMIT_MS);
    try {
      return await abortable(waited, late);
    } catch (error) {
      if (!late.aborted) throw error;
      child.kill('SIGKILL');
      throw new Error(`The server did not ${what} within ${LIMIT_MS / 1_000} s; it said: ${said}`);
    }
  }
  async function end(signal: NodeJS.Signals) {
    child.kill(signal);
    return (await inTime(`end after ${signal}`, exited))[0];
  }
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) await end('SIGKILL');
  });
  child.stderr?.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const listening = new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      const found = /listens on (http:\S+)/.exec(said)?.[1];
      if (found) resolve(found);
    });
    void exited.then(([code]) =>
      reject(new Error(`The server ended with ${code} before it listened: ${said}`)),
    );
  });
  const url = await inTime('listen', listening);
  return { child, url, client: createClient(url), end };
}
