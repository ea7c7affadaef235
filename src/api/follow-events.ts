import type { JobEvent } from '../protocol/events.ts';
import { isFinal } from '../protocol/job.ts';
import { peekJob } from '../store/peek-job.ts';
import { readEvents } from '../store/read-events.ts';
import type { Store } from '../store/store.ts';
import { Bell } from './bell.ts';

const PAGE = 100;

/**
 * A job's events after a sequence number, in pages as they come, until the job has ended and all are told.
 * Notifications only ring: what is told is always read from the store by number, so none is missed or told twice
 * whatever happens to the notifications. An empty page comes after each `heartbeat` milliseconds of silence.
 */
export async function* followEvents(
  store: Store,
  job: { id: string; after: number; heartbeat: number },
  signal: AbortSignal,
): AsyncGenerator<JobEvent[]> {
  const bell = new Bell();
  const unsubscribe = store.notifications.subscribe(job.id, bell.ring);
  let { after } = job;
  try {
    while (!signal.aborted) {
      const events = await readEvents(store, job.id, { after, limit: PAGE });
      const last = events.at(-1);
      if (last) {
        yield events;
        after = last.seq;
      } else if (await hasEnded(store, job.id, after)) {
        return;
      } else if (!(await bell.wait(job.heartbeat, signal))) {
        yield [];
      }
    }
  } finally {
    unsubscribe();
  }
}

/** Ended, with no event that has not been told; a job that retention has removed has ended too. */
async function hasEnded(store: Store, id: string, after: number): Promise<boolean> {
  const job = await peekJob(store, id);
  return job === null || (isFinal(job.status) && job.last_seq <= after);
}
