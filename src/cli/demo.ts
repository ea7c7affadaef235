import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type Config, readConfig } from '../config.ts';
import type { JobEvent } from '../protocol/events.ts';
import type { ScheduleRequest } from '../protocol/job.ts';
import { type Client, createClient } from './client.ts';
import { followJob } from './follow.ts';
import { createLog } from './log.ts';
import { stageTimes } from './stage-times.ts';
import { type StopSignals, stopSignals } from './stop-signals.ts';
import { createTerminal, duration, size, type Terminal } from './terminal.ts';
import { showTree } from './tree.ts';
import { unpack } from './unpack.ts';
import { PROJECT } from './version.ts';
import { startServer } from './wire.ts';

const EXAMPLE = join(PROJECT, 'examples/todo-app.md');
const TREE_LINES = 24;

/**
 * Shows the whole way of a job on a server of its own: schedules the example runbook, or the given prompt with the
 * configured model, follows it, unpacks its zip. Resolves with the exit code.
 */
export async function demo(prompt: string | undefined, env: NodeJS.ProcessEnv): Promise<number> {
  const config = demoConfig(env);
  const terminal = createTerminal();
  if (prompt !== undefined && config.MODEL === undefined) {
    terminal.line(
      'A prompt of your own needs a model: set MODEL=provider/name and the key of its provider, for example MODEL=anthropic/claude-sonnet-4-5 and ANTHROPIC_API_KEY. Without a prompt, npm run demo runs examples/todo-app.md, which needs no model.',
    );
    return 2;
  }
  const request: ScheduleRequest =
    prompt === undefined
      ? { prompt: await readFile(EXAMPLE, 'utf8'), agent: 'runbook' }
      : { prompt, agent: 'llm' };
  const stop = stopSignals();
  const start = performance.now();
  const server = await startServer(config, createLog(config));
  try {
    const engine = await server.driver.check();
    if (!engine.ready) {
      terminal.line(`No sandbox can be made: ${engine.detail}`);
      return 1;
    }
    terminal.line(`Server ready on ${server.url} in ${duration(performance.now() - start)}`);
    terminal.line(`Engine: ${engine.detail}`);
    return await showJob(createClient(server.url), request, stop, terminal);
  } finally {
    await server.close(0);
    stop.end();
  }
}

/** A server of its own beside one that may run: another port, folder and database, no keys. */
function demoConfig(env: NodeJS.ProcessEnv): Config {
  return readConfig({
    ...env,
    HOST: '127.0.0.1',
    PORT: '0',
    NOVNC_PORT: '0',
    PUBLIC_URL: '',
    API_KEYS: '',
    DATA_DIR: join(PROJECT, 'data/demo'),
    DATABASE_URL: '',
    WORKER_CONCURRENCY: '1',
    WARM_SANDBOXES: '0',
    LOG_LEVEL: env.LOG_LEVEL || 'warn',
  });
}

async function showJob(
  client: Client,
  request: ScheduleRequest,
  stop: StopSignals,
  terminal: Terminal,
): Promise<number> {
  const { job_id } = await client.schedule(request);
  terminal.line(`Scheduled job ${job_id}`);
  let events: JobEvent[];
  try {
    events = await followJob(client, job_id, terminal, stop.signal);
  } catch (error) {
    await client.cancel(job_id).catch(() => {});
    if (!stop.signal.aborted) throw error;
    terminal.line('Stopped; the job is cancelled.');
    return 130;
  }
  const status = await client.status(job_id);
  terminal.line(`\n${terminal.style('bold', 'Status')}\n${JSON.stringify(status, null, 2)}`);
  if (status.download_link) await showOutput(client, job_id, terminal);
  terminal.line(`\n${terminal.style('bold', 'Times')}`);
  for (const { stage, ms } of stageTimes(events)) terminal.line(`  ${duration(ms).padStart(10)}  ${stage}`);
  return status.status === 'complete' ? 0 : 1;
}

async function showOutput(client: Client, jobId: string, terminal: Terminal): Promise<void> {
  const folder = join(PROJECT, 'demo-output', jobId);
  const temporary = await mkdtemp(join(tmpdir(), 'demo-'));
  try {
    const zip = join(temporary, 'output.zip');
    const bytes = await client.download(jobId, zip);
    await mkdir(folder, { recursive: true });
    const { paths, bytes: unpacked } = await unpack(zip, folder);
    const place = relative(process.cwd(), folder);
    terminal.line(`\n${terminal.style('bold', 'Output')} ${place}`);
    terminal.line(`  ${paths.length} files, ${size(unpacked)}; the zip has ${size(bytes)}`);
    for (const line of showTree(paths, TREE_LINES)) terminal.line(terminal.style('dim', `  ${line}`));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
