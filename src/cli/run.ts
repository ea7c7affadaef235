import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from './client.ts';
import { followJob } from './follow.ts';
import { stopSignals } from './stop-signals.ts';
import { createTerminal, size } from './terminal.ts';

export interface RunOptions {
  server: string;
  key?: string | undefined;
  /** Folder that the zip is saved in. */
  output: string;
  follow: boolean;
}

/** Schedules a prompt, or a file that holds one, on a server; follows it and saves its zip. Resolves with the exit code. */
export async function run(prompt: string, options: RunOptions): Promise<number> {
  const terminal = createTerminal();
  const client = createClient(options.server, options.key);
  const scheduled = await client.schedule({ prompt: await readPrompt(prompt) });
  const { job_id } = scheduled;
  terminal.line(`Job ${job_id}: ${scheduled.status_link}`);
  if (!options.follow) return 0;
  const stop = stopSignals();
  try {
    await followJob(client, job_id, terminal, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    terminal.line(`The job goes on; POST ${options.server}/cancel/${job_id} ends it.`);
    return 130;
  } finally {
    stop.end();
  }
  const status = await client.status(job_id);
  if (status.download_link) {
    const path = join(options.output, `${job_id}.zip`);
    terminal.line(`Saved ${path} (${size(await client.download(job_id, path))})`);
  }
  return status.status === 'complete' ? 0 : 1;
}

/** The text of the file of that name, where there is one; else the prompt itself. */
async function readPrompt(prompt: string): Promise<string> {
  const isFile = await stat(prompt).then(
    (found) => found.isFile(),
    () => false,
  );
  return isFile ? readFile(prompt, 'utf8') : prompt;
}
