import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Client, createClient } from '../../src/cli/client.ts';
import { startEmbedded } from '../../src/store/embedded/start-embedded.ts';
import { destroySandbox, testEngine } from './engines.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

export interface ServerProcess {
  child: ChildProcess;
  url: string;
  client: Client;
  /** Ends it with this signal; resolves with its exit code, null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * A data folder that goes with the test, with whatever runs on it.
 * @param sandboxes ids of sandboxes that the test knows of, to be removed whatever happens.
 */
export async function dataFolder(sandboxes: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-test-'));
  onTestFinished(async () => {
    for (const id of sandboxes) await destroySandbox(id);
    // A server that was killed leaves its PostgreSQL; it is taken over and stopped.
    const postgres = await startEmbedded({ dataDir: folder, log: pino({ level: 'silent' }) });
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
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
  const exited = once(child, 'exit') as Promise<[number | null]>;
  async function end(signal: NodeJS.Signals) {
    child.kill(signal);
    return (await exited)[0];
  }
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) await end('SIGKILL');
  });
  let said = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const url = await new Promise<string>((resolve, reject) => {
    let printed = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      printed += bytes.toString();
      const found = /listens on (http:\S+)/.exec(printed)?.[1];
      if (found) resolve(found);
    });
    void exited.then(([code]) =>
      reject(new Error(`The server ended with ${code} before it listened: ${said}`)),
    );
  });
  return { child, url, client: createClient(url), end };
}
