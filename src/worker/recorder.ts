import type { JobEvent, NewEvent } from '../protocol/events.ts';
import type { LogType } from '../protocol/job.ts';
import { appendEvents } from '../store/append-events.ts';
import { appendLog } from '../store/append-log.ts';
import { type Fence, LeaseLost } from '../store/fence.ts';
import type { Store } from '../store/store.ts';
import { createLogWriter, type LogWriters } from './log-writer.ts';
import type { Redactor } from './redact.ts';

/** Writes down what a job does: events and logs, redacted, in order, for as long as this attempt holds the job. */
export interface Recorder {
  /** Stores what was logged so far, then the events; resolves with them and their numbers. */
  append(...events: NewEvent[]): Promise<JobEvent[]>;
  /** Resolves when there is room for more. */
  log(type: LogType, text: string | Buffer): Promise<void>;
  /** Stores the rest of the logs. */
  end(): Promise<void>;
}

/**
 * @param onAppended told of the events stored, with their numbers.
 * @param onRefused told when the job is no longer this attempt's: it has ended, or another attempt has begun.
 * @param onBroken told what storing a log failed with; what comes after that is dropped.
 */
export function createRecorder(options: {
  store: Store;
  fence: Fence;
  redactor: Redactor;
  onAppended: (events: JobEvent[]) => void;
  onRefused: () => void;
  onBroken: (error: unknown) => void;
}): Recorder {
  const { store, fence, redactor, onAppended, onRefused, onBroken } = options;
  const failed = (error: unknown) => (error instanceof LeaseLost ? onRefused() : onBroken(error));
  const writer = (type: LogType) =>
    createLogWriter(redactor.stream(), (bytes) => appendLog(store, fence, type, bytes), failed);
  const logs: LogWriters = { stdout: writer('stdout'), stderr: writer('stderr') };
  let appending: Promise<unknown> = Promise.resolve();

  async function append(events: NewEvent[]): Promise<JobEvent[]> {
    await Promise.all([logs.stdout.flush(), logs.stderr.flush()]);
    try {
      const stored = await appendEvents(store, fence, redactor.json(events));
      onAppended(stored);
      return stored;
    } catch (error) {
      if (error instanceof LeaseLost) onRefused();
      throw error;
    }
  }
  return {
    append(...events) {
      const done = appending.then(() => append(events));
      appending = done.catch(() => {});
      return done;
    },
    log: (type, text) => logs[type].write(typeof text === 'string' ? Buffer.from(text) : text),
    async end() {
      await appending;
      await Promise.all([logs.stdout.end(), logs.stderr.end()]);
    },
  };
}
