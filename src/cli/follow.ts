import { setTimeout as delay } from 'node:timers/promises';
import type { JobEvent } from '../protocol/events.ts';
import { LogType } from '../protocol/job.ts';
import type { Client } from './client.ts';
import { describeEvent } from './show-events.ts';
import { harmless, type Terminal } from './terminal.ts';

const LOG_POLL_MS = 300;

/** Shows a job's events and what it prints until it has ended; gives the events. */
export async function followJob(
  client: Client,
  jobId: string,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<JobEvent[]> {
  const printers = LogType.options.map((type) => createLogPrinter(client, jobId, type, terminal));
  // One after the other: an event's line never comes before what was printed ahead of it.
  let showing: Promise<void> = Promise.resolve();
  const showLogs = () => {
    const shown = showing.then(async () => {
      for (const printer of printers) await printer.catchUp();
    });
    showing = shown.catch(() => {});
    return shown;
  };
  const polling = new AbortController();
  const polled = poll(showLogs, polling.signal);
  const events: JobEvent[] = [];
  try {
    for await (const event of client.events(jobId, signal)) {
      events.push(event);
      await (event.type === 'job.ended' ? showLogs() : showLogs().catch(() => {}));
      const text = describeEvent(event, terminal);
      if (text === null) continue;
      for (const printer of printers) printer.endLine();
      terminal.line(text);
    }
    return events;
  } finally {
    polling.abort();
    await polled;
  }
}

async function poll(showLogs: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (await delay(LOG_POLL_MS, true, { signal }).catch(() => false)) {
    // A server that is away for a moment is asked again; the events tell when it is gone for good.
    await showLogs().catch(() => {});
  }
}

function createLogPrinter(client: Client, jobId: string, type: LogType, terminal: Terminal) {
  const decoder = new TextDecoder();
  let offset = 0;
  let started = '';

  const show = (line: string) => terminal.line(terminal.style('dim', `  ${harmless(line)}`));
  return {
    /** Shows the whole lines that are new. */
    async catchUp() {
      for await (const bytes of client.log(jobId, type, offset)) {
        offset += bytes.length;
        const lines = (started + decoder.decode(bytes, { stream: true })).split('\n');
        started = lines.pop() ?? '';
        for (const line of lines) show(line);
      }
    },
    /** Shows a line that has no end yet. */
    endLine() {
      if (started !== '') show(started);
      started = '';
    },
  };
}
