import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient } from '../src/cli/client.ts';
import { unpack } from '../src/cli/unpack.ts';
import { docker } from './engine.ts';
import { type Row, row } from './row.ts';

const JOBS = Number(process.env.SOAK_JOBS ?? 200);
const CONCURRENCY = process.env.SOAK_CONCURRENCY ?? '4';
const SAMPLE_MS = 1_000;
const MAIN = join(import.meta.dirname, '../src/cli/main.ts');

interface SoakJob {
  id: string;
  expected: string;
}

/** Runbook jobs, all scheduled at once on a server of its own: every output is checked, and no container may be left. */
export async function soak(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-soak-'));
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: {
      ...process.env,
      DATA_DIR: join(folder, 'data'),
      PORT: '0',
      LOG_LEVEL: 'error',
      WORKER_CONCURRENCY: CONCURRENCY,
      LIMIT_MEMORY_MB: '256',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    const url = await addressOf(child);
    return await measure(createClient(url), url, join(folder, 'output'));
  } finally {
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(client: Client, url: string, folder: string): Promise<Row[]> {
  const start = performance.now();
  const jobs = await Promise.all(Array.from({ length: JOBS }, (_, i) => schedule(client, i)));
  const scheduled = performance.now() - start;
  const memory: Memory = { rss: [], heap: [] };
  const sampling = new AbortController();
  const sampled = sampleMemory(url, memory, sampling.signal);
  const seconds: number[] = [];
  const sandboxes = new Set<string>();
  for (const { id } of jobs) {
    for await (const event of client.events(id)) {
      if (event.type === 'sandbox.started') sandboxes.add(event.data.sandbox);
    }
    const { status, error, started, completed } = await client.status(id);
    if (status !== 'complete')
      throw new Error(`Job ${id} ended as ${status}: ${error?.code} ${error?.message}`);
    seconds.push((Date.parse(completed ?? '') - Date.parse(started ?? '')) / 1_000);
  }
  const total = (performance.now() - start) / 1_000;
  sampling.abort();
  await sampled;
  for (const job of jobs) await check(client, job, folder);
  await checkNoneLeft(sandboxes);

  const quarter = Math.ceil(memory.rss.length / 4);
  const note = `${JOBS} jobs at once, ${CONCURRENCY} side by side;`;
  return [
    row('soak: all of the jobs', [total], 's', `${note} every output right, no container left;`),
    row('soak: one job, start to end', seconds, 's', 'sandbox, one block, zip;'),
    row('soak: schedule, each of all at once', [scheduled / JOBS], 'ms', ''),
    row('soak: server RSS, first quarter of the time', memory.rss.slice(0, quarter), 'MB', ''),
    row('soak: server RSS, last quarter of the time', memory.rss.slice(-quarter), 'MB', ''),
    row('soak: live heap, first quarter', [Math.min(...memory.heap.slice(0, quarter))], 'MB', 'its lowest;'),
    row('soak: live heap, last quarter', [Math.min(...memory.heap.slice(-quarter))], 'MB', 'its lowest;'),
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

/** Megabytes. The heap goes up and down with its collections; its lowest points show what is held on to. */
interface Memory {
  rss: number[];
  heap: number[];
}

async function sampleMemory(url: string, samples: Memory, signal: AbortSignal): Promise<void> {
  while (await delay(SAMPLE_MS, true, { signal }).catch(() => false)) {
    const text = await (await fetch(`${url}/metrics`)).text();
    const megabytes = (gauge: string) =>
      Number(new RegExp(`^${gauge} (\\S+)`, 'm').exec(text)?.[1]) / 1024 / 1024;
    samples.rss.push(megabytes('process_resident_memory_bytes'));
    samples.heap.push(megabytes('nodejs_heap_size_used_bytes'));
  }
}

/** Reads on afterwards: a server whose output nobody takes would stop. */
async function addressOf(child: ChildProcess): Promise<string> {
  const address = Promise.withResolvers<string>();
  let printed = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    printed += bytes.toString();
    const url = /listens on (http:\S+)/.exec(printed)?.[1];
    if (url) address.resolve(url);
  });
  child.once('exit', () => address.reject(new Error(`Expected the server to listen; it ended: ${printed}`)));
  return address.promise;
}
