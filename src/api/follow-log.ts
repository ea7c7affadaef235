import { isFinal, type LogType } from '../protocol/job.ts';
import { peekJob } from '../store/peek-job.ts';
import { logSize, readLog } from '../store/read-log.ts';
import type { Store } from '../store/store.ts';
import { Bell } from './bell.ts';

/** Longest silence between two looks at the log; a notification comes sooner. */
const LOOK_MS = 5_000;

/** A log's bytes from an offset on, as they come, until the job has ended and all are told. */
export async function* followLog(
  store: Store,
  log: { jobId: string; type: LogType; from: number },
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const bell = new Bell();
  const unsubscribe = store.notifications.subscribe(log.jobId, bell.ring);
  let { from } = log;
  try {
    while (!signal.aborted) {
      // The job first: what is written before its end is then seen by the size that is asked for after.
      const job = await peekJob(store, log.jobId);
      const to = await logSize(store, log.jobId, log.type);
      if (to > from) {
        for await (const bytes of readLog(store, log.jobId, log.type, { from, to })) {
          if (signal.aborted) return;
          yield bytes;
        }
        from = to;
      } else if (job === null || isFinal(job.status)) {
        return;
      } else {
        await bell.wait(LOOK_MS, signal);
      }
    }
  } finally {
    unsubscribe();
  }
}
