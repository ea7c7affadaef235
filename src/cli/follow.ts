import type { EventType, JobEvent } from '../protocol/events.ts';
import { LogType } from '../protocol/job.ts';
import type { Client } from './client.ts';
import { describeEvent } from './show-events.ts';
import { harmless, type Terminal } from './terminal.ts';

/** Kinds of events that something was printed ahead of: all of that is shown first. */
const AFTER_OUTPUT = new Set<EventType>(['block.ended', 'tool.result', 'job.ended']);

/** Shows a job's events and what it prints until it has ended; gives the events. */
export async function followJob(
  client: Client,
  jobId: string,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<JobEvent[]> {
  const printers = LogType.options.map((type) => createLogPrinter(client, jobId, type, terminal));
  const following = new AbortController();
  const followed = printers.map((printer) => printer.follow(following.signal));
  const events: JobEvent[] = [];
  try {
    for await (const event of client.events(jobId, signal)) {
      events.push(event);
      if (AFTER_OUTPUT.has(event.type)) for (const printer of printers) await printer.catchUp();
      const text = describeEvent(event, terminal);
      if (text === null) continue;
      for (const printer of printers) printer.endLine();
      terminal.line(text);
    }
    return events;
  } finally {
    following.abort();
    await Promise.all(followed);
  }
}

function createLogPrinter(client: Client, jobId: string, type: LogType, terminal: Terminal) {
  const decoder = new TextDecoder();
  let shown = 0;
  let started = '';
  let first = true;

  function show(line: string) {
    // The log has titles of its own, which were shown already.
    if (first && (line.trim() === '' || /^==> \[\d+\/\d+\] /.test(line))) return;
    first = false;
    terminal.line(terminal.style('dim', `  ${harmless(line)}`));
  }
  /** Shows the whole lines of what is new in bytes of the log that start at `from`. */
  function take(from: number, bytes: Buffer) {
    const fresh = bytes.subarray(Math.max(0, shown - from));
    shown += fresh.length;
    const lines = (started + decoder.decode(fresh, { stream: true })).split('\n');
    started = lines.pop() ?? '';
    for (const line of lines) show(line);
  }
  return {
    /** Shows the log as it grows. */
    async follow(signal: AbortSignal) {
      try {
        for await (const { at, bytes } of client.followLog(jobId, type, signal)) take(at, bytes);
      } catch {
        // What is missed is shown with the next event; the events tell when the server is gone.
      }
    },
    /** Shows what the log holds now. */
    async catchUp() {
      let at = shown;
      for await (const bytes of client.log(jobId, type, at)) {
        take(at, bytes);
        at += bytes.length;
      }
    },
    /** Shows a line that has no end yet. */
    endLine() {
      if (started !== '') show(started);
      started = '';
      first = true;
    },
  };
}
