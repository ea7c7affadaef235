import type { Logger } from 'pino';
import type { Job } from '../protocol/job.ts';
import { connectSandbox } from '../sandbox/connection/connect-sandbox.ts';
import type { Driver } from '../sandbox/driver.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { readHandle } from '../worker/sandbox-handle.ts';
import type { Worker } from '../worker/worker.ts';

/** How long a connection that nobody asked for is kept. */
const IDLE_MS = 30_000;

interface Connection {
  sandbox: Promise<Sandbox>;
  timer: NodeJS.Timeout;
}

/** Live sandboxes for the API: this process's worker's own, else a connection through the driver. */
export function liveSandboxes(options: { driver: Driver; worker: Worker; log: Logger }): {
  of: (job: Job) => Promise<Sandbox | null>;
  close: () => Promise<void>;
} {
  const { driver, worker, log } = options;
  const connections = new Map<string, Connection>();

  async function drop(id: string) {
    const connection = connections.get(id);
    if (!connection) return;
    connections.delete(id);
    clearTimeout(connection.timer);
    await connection.sandbox.then((sandbox) => sandbox.close()).catch(() => {});
  }
  async function of(job: Job): Promise<Sandbox | null> {
    const own = worker.live(job.id);
    if (own) return own;
    const handle = readHandle(job.sandbox, driver);
    if (handle === null) return null;
    const known = connections.get(handle.id);
    if (known) {
      known.timer.refresh();
      return known.sandbox;
    }
    const sandbox = connectSandbox(driver, handle);
    const timer = setTimeout(() => void drop(handle.id), IDLE_MS).unref();
    connections.set(handle.id, { sandbox, timer });
    try {
      const connected = await sandbox;
      connected.lost.then(() => drop(handle.id));
      return connected;
    } catch (error) {
      log.debug({ err: error, job: job.id }, 'the sandbox of a job cannot be reached');
      await drop(handle.id);
      return null;
    }
  }
  return {
    of,
    async close() {
      await Promise.all([...connections.keys()].map(drop));
    },
  };
}
