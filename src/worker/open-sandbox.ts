import { DEFAULT_DESKTOP_SIZE, type DesktopSize } from '../protocol/desktop.ts';
import { CodedError } from '../protocol/errors.ts';
import type { JobEvent } from '../protocol/events.ts';
import type { SandboxHandle } from '../sandbox/driver.ts';
import { coalesceEgress } from '../sandbox/egress/coalesce.ts';
import { defaultImage } from '../sandbox/image.ts';
import type { StartedSandbox } from '../sandbox/start.ts';
import { clearSandbox } from '../store/clear-sandbox.ts';
import { setSandbox } from '../store/set-sandbox.ts';
import type { Attempt } from './attempt.ts';
import type { WorkerContext } from './context.ts';
import { watchDisk } from './disk-watch.ts';
import { readHandle } from './sandbox-handle.ts';

/** A job's sandbox while an attempt holds it. */
export interface JobSandbox {
  started: StartedSandbox;
  /** Whether an earlier attempt had prepared it, so that the job's files are in it. */
  kept: boolean;
  /** Whether its output has been saved, as far as that was possible. */
  saved: boolean;
  /** Why it was lost; null while it is there. */
  lost(): string | null;
  /** Writes down the connections that have not been told yet; later ones are not recorded. */
  closeEgressRecord(): void;
  /** Lets go of it and leaves it to run, for the next attempt. */
  leave(): Promise<void>;
  /** Ends it, and forgets it in the store. What cannot be destroyed now is left to the reconciler. */
  destroy(): Promise<void>;
}

/**
 * The sandbox of an attempt: the one that an earlier attempt has left, where it lives and was ready, else another.
 * It is written into the job's row before anything is done in it. Losing it aborts the attempt's control.
 */
export async function openSandbox(
  context: WorkerContext,
  attempt: Attempt,
  history: JobEvent[],
): Promise<JobSandbox> {
  const kept = await reattach(context, attempt, history);
  const started = kept ?? (await start(context, attempt));
  return holdSandbox(context, attempt, started, kept !== null);
}

async function reattach(
  { sandboxes, driver }: WorkerContext,
  { job, control, recorder, log }: Attempt,
  history: JobEvent[],
): Promise<StartedSandbox | null> {
  const handle = readHandle(job.sandbox, driver);
  if (handle === null) return null;
  if (!isPrepared(handle, history)) {
    await destroyLeft(driver, handle, log);
    return null;
  }
  try {
    const started = await sandboxes.attach(handle, control.signal);
    await recorder.append({ type: 'sandbox.reattached', data: { sandbox: handle.id } });
    return started;
  } catch (error) {
    control.signal.throwIfAborted();
    if (!(error instanceof CodedError) || !GONE.has(error.code)) throw error;
    const data = { sandbox: handle.id, reason: error.message };
    await recorder.append({ type: 'sandbox.lost', data });
    await destroyLeft(driver, handle, log);
    return null;
  }
}

/** What attaching to a sandbox fails with when it is gone, or what is in it no longer answers. */
const GONE = new Set<string>(['SANDBOX_LOST', 'SANDBOX_START_FAILED', 'CONNECTION_LOST']);

/** Whether its input was in place when the earlier attempt ended: half of an input is no start. */
function isPrepared(handle: SandboxHandle, history: JobEvent[]): boolean {
  const since = history.findLastIndex(
    (event) => event.type === 'sandbox.started' && event.data.sandbox === handle.id,
  );
  return since >= 0 && history.slice(since).some((event) => event.type === 'input.ready');
}

async function start(
  context: WorkerContext,
  { job, fence, control, recorder }: Attempt,
): Promise<StartedSandbox> {
  const { store, sandboxes, driver, config } = context;
  const began = performance.now();
  const { started, warm } = await sandboxes.take(job.request, control.signal);
  try {
    await setSandbox(store, fence, started.handle);
    await chooseDesktop(started, job.request.desktop, control.signal);
    const data = {
      sandbox: started.handle.id,
      driver: driver.name,
      image: config.SANDBOX_IMAGE ?? defaultImage(),
      warm,
      start_ms: Math.round(performance.now() - began),
    };
    await recorder.append({ type: 'sandbox.started', data });
    return started;
  } catch (error) {
    // Nobody else knows of it yet, or it is as good as empty.
    await started.destroy().catch(() => {});
    throw error;
  }
}

/** A sandbox does not know yet whose it is, and has the default size. */
async function chooseDesktop(
  { sandbox }: StartedSandbox,
  size: DesktopSize,
  signal: AbortSignal,
): Promise<void> {
  const { width, height } = DEFAULT_DESKTOP_SIZE;
  if (size.width !== width || size.height !== height) await sandbox.desktop.setSize(size, { signal });
}

function holdSandbox(
  { store, driver }: WorkerContext,
  { job, fence, control, running, recorder, log }: Attempt,
  started: StartedSandbox,
  kept: boolean,
): JobSandbox {
  const { handle, sandbox, egress } = started;
  let lost: string | null = null;
  let held = true;
  const watching = new AbortController();
  const connections = coalesceEgress(
    (data) => void recorder.append({ type: 'egress', data }).catch(() => {}),
  );
  egress.assign(job.request.network, connections.record);
  running.sandbox = sandbox;

  void sandbox.lost.then((reason) => {
    if (!held) return;
    lost = reason;
    control.abort(new CodedError('SANDBOX_LOST', `The sandbox was lost while the job ran: ${reason}`));
  });
  void watchDisk({
    driver,
    handle,
    limitMb: job.request.limits.disk_mb,
    signal: watching.signal,
    log,
    onOver: control.abort,
  });
  function letGo() {
    held = false;
    watching.abort();
    connections.close();
    running.sandbox = null;
  }
  return {
    started,
    kept,
    saved: false,
    lost: () => lost,
    closeEgressRecord: () => connections.close(),
    async leave() {
      letGo();
      await started.release();
    },
    async destroy() {
      letGo();
      await started.destroy().then(
        () => clearSandbox(store, fence).catch(() => {}),
        (error: unknown) =>
          log.warn({ err: error, sandbox: handle.id }, 'the sandbox could not be destroyed'),
      );
    },
  };
}

async function destroyLeft(driver: WorkerContext['driver'], handle: SandboxHandle, log: Attempt['log']) {
  await driver.destroy(handle).catch((error: unknown) => {
    log.warn({ err: error, sandbox: handle.id }, 'the sandbox of an earlier attempt could not be destroyed');
  });
}
