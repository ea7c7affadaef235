import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient } from '../src/cli/client.ts';
import { unpack } from '../src/cli/unpack.ts';
import { docker } from './engine.ts';
import { type Row, row } from './row.ts';

const JOBS = Number(process.env.SOAK_JOBS ?? 200);
const CONCURRENCY = process.env.SOAK_CONCURRENCY ?? '4';
const QUARTERS = [0.25, 0.5, 0.75, 1];
const MAIN = join(import.meta.dirname, '../src/cli/main.ts');

interface SoakJob {
  id: string;
  expected: string;
}

/** Runbook jobs, all scheduled at once on a server of its own: every output is checked, and no container may be left. */
export async function soak(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-soak-'));
  const child = spawn(process.execPath, ['--inspect=127.0.0.1:0', MAIN, 'serve'], {
    env: {
      ...process.env,
      DATA_DIR: join(folder, 'data'),
      PORT: '0',
      NOVNC_PORT: '0',
      LOG_LEVEL: 'error',
      WORKER_CONCURRENCY: CONCURRENCY,
      SANDBOX_DRIVER: 'docker',
      LIMIT_MEMORY_MB: '256',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  try {
    const [url, debuggerUrl] = await Promise.all([
      printed(child, child.stdout, /listens on (http:\S+)/),
      printed(child, child.stderr, /listening on (ws:\S+)/),
    ]);
    const heap = await HeapProbe.open(debuggerUrl);
    try {
      return await measure(createClient(url), heap, join(folder, 'output'));
    } finally {
      heap.close();
    }
  } finally {
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(client: Client, heap: HeapProbe, folder: string): Promise<Row[]> {
  const start = performance.now();
  const jobs = await Promise.all(Array.from({ length: JOBS }, (_, i) => schedule(client, i)));
  const scheduled = performance.now() - start;
  const seconds: number[] = [];
  const megabytes: number[] = [];
  const sandboxes = new Set<string>();
  for (const [n, { id }] of jobs.entries()) {
    for await (const event of client.events(id)) {
      if (event.type === 'sandbox.started') sandboxes.add(event.data.sandbox);
    }
    const { status, error, started, completed } = await client.status(id);
    if (status !== 'complete')
      throw new Error(`Job ${id} ended as ${status}: ${error?.code} ${error?.message}`);
    seconds.push((Date.parse(completed ?? '') - Date.parse(started ?? '')) / 1_000);
    if (QUARTERS.some((share) => n + 1 === Math.ceil(JOBS * share))) megabytes.push(await heap.live());
  }
  const total = (performance.now() - start) / 1_000;
  for (const job of jobs) await check(client, job, folder);
  await checkNoneLeft(sandboxes);

  const note = `${JOBS} jobs at once, ${CONCURRENCY} side by side;`;
  return [
    row('soak: all of the jobs', [total], 's', `${note} every output right, no container left;`),
    row('soak: one job, start to end', seconds, 's', 'sandbox, one block, zip;'),
    row('soak: schedule, each of all at once', [scheduled / JOBS], 'ms', ''),
    ...megabytes.map((value, n) =>
      row(`soak: live heap after ${n + 1}/4 of the jobs`, [value], 'MB', 'when garbage has been collected;'),
    ),
  ];
}

async function schedule(client: Client, n: number): Promise<SoakJob> {
  const prompt = '```bash\nseq 1 "$N" | paste -sd+ > sum.txt\n```\n';
  const { job_id } = await client.schedule({ prompt, agent: 'runbook', env: { N: String(n + 1) } });
  return { id: job_id, expected: `${Array.from({ length: n + 1 }, (_, i) => i + 1).join('+')}\n` };
}

async function check(client: Client, { id, expected }: SoakJob, folder: string): Promise<void> {
  const zip = `${folder}.zip`;
  await client.download(id, zip);
  await unpack(zip, folder);
  const found = await readFile(join(folder, 'sum.txt'), 'utf8');
  if (found !== expected) throw new Error(`Expected ${expected} of job ${id}; found ${found}`);
}

/** A job's end is told before its sandbox is gone: that takes a moment more. */
async function checkNoneLeft(sandboxes: ReadonlySet<string>): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { stdout } = await docker('ps', '--all', '--format', '{{.Names}}');
    const left = stdout.split('\n').filter((name) => sandboxes.has(name.replace('sandbox-', '')));
    if (left.length === 0) return;
    if (performance.now() > deadline) throw new Error(`Expected no container; found ${left.join(', ')}`);
    await delay(500);
  }
}

/** What the server holds on to, asked of its own inspector: a heap that nobody collects grows without a leak. */
class HeapProbe {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (result: { usedSize?: number }) => void>();
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data));
      this.#answers.get(id)?.(result);
      this.#answers.delete(id);
    });
  }

  static async open(url: string): Promise<HeapProbe> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    return new HeapProbe(socket);
  }

  /** Megabytes that are still in use after a full collection. */
  async live(): Promise<number> {
    await this.#ask('HeapProfiler.collectGarbage');
    const { usedSize = Number.NaN } = await this.#ask('Runtime.getHeapUsage');
    return usedSize / 1024 / 1024;
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string): Promise<{ usedSize?: number }> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method }));
    });
  }
}

/** What a pattern finds in what the server prints. Reads on afterwards: a server whose output nobody takes would stop. */
async function printed(child: ChildProcess, stream: Readable, pattern: RegExp): Promise<string> {
  const found = Promise.withResolvers<string>();
  let text = '';
  stream.on('data', (bytes: Buffer) => {
    text += bytes.toString();
    const match = pattern.exec(text)?.[1];
    if (match) found.resolve(match);
  });
  child.once('exit', () => found.reject(new Error(`Expected ${pattern} of the server; it ended: ${text}`)));
  return found.promise;
}
