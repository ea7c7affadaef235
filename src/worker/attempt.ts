import type { Logger } from 'pino';
import { CodedError } from '../protocol/errors.ts';
import type { JobEvent } from '../protocol/events.ts';
import type { Job } from '../protocol/job.ts';
import { controls } from '../store/controls.ts';
import type { Fence } from '../store/fence.ts';
import { readEvents } from '../store/read-events.ts';
import { readLasting } from '../store/read-lasting.ts';
import { readSecrets } from '../store/read-secrets.ts';
import { urlCredentials } from './clone-repository.ts';
import type { RunningJob, WorkerContext } from './context.ts';
import { createJobControl, type JobControl } from './job-control.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createRedactor, type Redactor } from './redact.ts';
import type { Place } from './slots.ts';

/** One worker's go at a job: what its stages share. */
export interface Attempt {
  job: Job;
  fence: Fence;
  log: Logger;
  /** Plain variables and secrets for what runs in the sandbox. */
  env: Record<string, string>;
  redactor: Redactor;
  control: JobControl;
  /** What the worker and the API see of it. */
  running: RunningJob;
  recorder: Recorder;
  /** The job's events up to now, of what a summary covers only those that last. */
  history(): Promise<JobEvent[]>;
  /** Looks in the store for what has become of the job; for when a write was refused. */
  recheck(): Promise<void>;
}

const PAGE = 500;

/** Gathers what an attempt needs. When that fails, its control is aborted with why: the attempt ends as any other does. */
export async function beginAttempt(context: WorkerContext, job: Job, place: Place): Promise<Attempt> {
  const { store, config } = context;
  const fence: Fence = { jobId: job.id, attempt: job.attempt };
  const log = context.log.child({ job: job.id, attempt: job.attempt });
  const read = await readSecrets(store, job.id).catch((error: unknown) => error);
  const secrets = read instanceof Error ? {} : (read as Record<string, string>);
  const redactor = createRedactor({ ...secrets, ...gitCredentials(job) });
  const control = createJobControl({ store, job, fence, place, config });
  if (read instanceof Error) control.abort(asCoded(read));

  async function recheck(): Promise<void> {
    const states = await controls(store, [job.id]);
    control.update(states.get(job.id) ?? null);
  }
  const recorder = createRecorder({
    store,
    fence,
    redactor,
    onAppended: control.appended,
    onRefused: () =>
      recheck().catch((error: unknown) => log.debug({ err: error }, 'the job could not be looked up')),
    // A log that cannot be written must not be lost in silence.
    onBroken: (error) => control.abort(asCoded(error)),
  });
  const history: JobEvent[] = [];
  let readTo: number | null = null;
  return {
    job,
    fence,
    log,
    env: { ...job.request.env, ...secrets },
    redactor,
    control,
    running: { control, sandbox: null },
    recorder,
    recheck,
    async history() {
      if (readTo === null) {
        const { events, through } = await readLasting(store, job.id);
        history.push(...events);
        readTo = through;
      }
      for (;;) {
        const page = await readEvents(store, job.id, { after: readTo, limit: PAGE });
        history.push(...page);
        readTo = page.at(-1)?.seq ?? readTo;
        if (page.length < PAGE) break;
      }
      control.sawUpTo(readTo);
      return [...history];
    },
  };
}

function gitCredentials(job: Job): Record<string, string> {
  const found = job.request.git ? urlCredentials(job.request.git.url) : [];
  return Object.fromEntries(found.map((value, i) => [`git ${i}`, value]));
}

function asCoded(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  return new CodedError('INTERNAL', 'The server could not read or write what belongs to the job', {
    cause: error,
  });
}
