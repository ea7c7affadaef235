import { CodedError, toErrorInfo } from '../protocol/errors.ts';
import { isFinal } from '../protocol/job.ts';
import { controls } from '../store/controls.ts';
import { endJob } from '../store/end-job.ts';
import { LeaseLost } from '../store/fence.ts';
import { requeueJob } from '../store/requeue-job.ts';
import { settledWithin } from './abortable.ts';
import type { Attempt } from './attempt.ts';
import type { WorkerContext } from './context.ts';
import type { JobSandbox } from './open-sandbox.ts';
import { killProcesses, saveOutput } from './save-output.ts';
import { Stopped } from './stopped.ts';
import { isStoreTrouble, untilStored } from './until-stored.ts';

/** The engine is down, or the image is being made: the job waits, as it would have without a free worker. */
const ENGINE_TROUBLE = new Set<string>(['ENGINE_UNAVAILABLE', 'IMAGE_MISSING']);
const ENGINE_DELAY_S = 10;
/** Times that a job is handed back before what it was handed back for counts as its error. */
const MOST_REQUEUES = 20;
/** How long a sandbox is given to turn out to be lost, when a call into it was cut. */
const LOST_MS = 3_000;

/**
 * Ends an attempt that did not complete its job.
 * @returns whether the sandbox stays, for the attempt that comes after this one.
 */
export async function concludeAttempt(
  context: WorkerContext,
  attempt: Attempt,
  held: JobSandbox | null,
  error: unknown,
): Promise<boolean> {
  const { control, log } = attempt;
  if (error instanceof LeaseLost && !control.signal.aborted) {
    await attempt.recheck().catch(() => control.abort(new Stopped('fenced')));
  }
  if (held && error instanceof CodedError && error.code === 'CONNECTION_LOST') {
    await settledWithin(held.started.sandbox.lost, LOST_MS);
  }
  const reason: unknown = control.signal.aborted ? control.signal.reason : error;
  try {
    if (reason instanceof Stopped) return await stop(context, attempt, held, reason);
    if (reason instanceof LeaseLost) return true;
    if (isStoreTrouble(reason)) return await handBack(context, attempt, 'the database was away', 0);
    if (await mayPass(attempt, held, reason)) {
      return await handBack(context, attempt, toErrorInfo(reason).message, held ? 0 : ENGINE_DELAY_S);
    }
    await fail(context, attempt, held, reason);
    return false;
  } catch (failure) {
    // The store is away, or the job is someone else's by now: whoever takes it up finds the sandbox in its row.
    log.warn({ err: failure }, 'the end of an attempt could not be stored');
    return true;
  }
}

async function stop(
  context: WorkerContext,
  attempt: Attempt,
  held: JobSandbox | null,
  { kind }: Stopped,
): Promise<boolean> {
  if (kind === 'fenced') return true;
  if (kind === 'shutdown') {
    try {
      return await handBack(context, attempt, 'its worker was stopped', 0);
    } catch (failure) {
      // Ended while this worker was told to stop: then nobody comes for its sandbox.
      if (!(failure instanceof LeaseLost) || !(await hasEnded(context, attempt))) throw failure;
    }
  }
  if (held) {
    await killProcesses(held);
    await saveOutput(context, attempt, held).catch((error: unknown) => {
      attempt.log.warn({ err: error }, 'the output of a stopped job could not be saved');
    });
  }
  return false;
}

async function hasEnded({ store }: WorkerContext, { job }: Attempt): Promise<boolean> {
  const state = (await controls(store, [job.id])).get(job.id);
  return state === undefined || isFinal(state.status);
}

async function handBack(
  { store }: WorkerContext,
  { fence, recorder, redactor }: Attempt,
  reason: string,
  delayS: number,
): Promise<true> {
  await recorder.end();
  await untilStored(() => requeueJob(store, fence, redactor.text(reason), delayS));
  return true;
}

/** Whether another go may well succeed: the engine is away, or the connection to a sandbox that lives was cut. */
async function mayPass(attempt: Attempt, held: JobSandbox | null, reason: unknown): Promise<boolean> {
  if (!(reason instanceof CodedError)) return false;
  const passing = held
    ? reason.code === 'CONNECTION_LOST' && held.lost() === null
    : ENGINE_TROUBLE.has(reason.code);
  if (!passing) return false;
  const history = await attempt.history();
  return history.filter((event) => event.type === 'job.requeued').length < MOST_REQUEUES;
}

async function fail(
  context: WorkerContext,
  attempt: Attempt,
  held: JobSandbox | null,
  reason: unknown,
): Promise<void> {
  const { fence, control, recorder, redactor, log } = attempt;
  if (!(reason instanceof CodedError)) log.error({ err: reason }, 'a job met a fault of the server');
  control.abort(
    reason instanceof CodedError ? reason : new CodedError('INTERNAL', 'The job failed', { cause: reason }),
  );
  const lost = held?.lost() ?? null;
  if (held && lost !== null) {
    const data = { sandbox: held.started.handle.id, reason: lost };
    await recorder.append({ type: 'sandbox.lost', data }).catch(() => {});
  } else if (held) {
    await saveOutput(context, attempt, held).catch((error: unknown) => {
      log.warn({ err: error }, 'the output of a failed job could not be saved');
    });
  }
  await recorder.end();
  const error = redactor.json(toErrorInfo(reason));
  await untilStored(() => endJob(context.store, fence, { status: 'failed', error, summary: null }));
}
