import type { NewEvent } from '../protocol/events.ts';
import { wordsOf } from '../protocol/words-of.ts';
import { setOutput } from '../store/set-output.ts';
import { settledWithin } from './abortable.ts';
import type { Attempt } from './attempt.ts';
import type { WorkerContext } from './context.ts';
import type { JobSandbox } from './open-sandbox.ts';
import { packOutput } from './pack-output.ts';

/** Longest time that a job's output may take to pack. */
const PACK_MS = 10 * 60_000;
/** A cancelled job's sandbox is gone within 5 s: what is packed by then is its output. */
const STOPPED_PACK_MS = 3_000;
const KILL_MS = 700;

/**
 * Packs the workspace and writes down what came of it; once for each sandbox. Output that is incomplete for want of
 * time says so in its manifest and in a notice.
 * @throws what cut the output off otherwise (it is saved as far as it came), or what the disk or the store failed with.
 */
export async function saveOutput(context: WorkerContext, attempt: Attempt, held: JobSandbox): Promise<void> {
  const { job, control, recorder, redactor, log } = attempt;
  if (held.saved) return;
  held.saved = true;
  held.closeEgressRecord();
  const time = packingTime(control.stopped);
  try {
    const { sandbox } = held.started;
    const { info, cut, durationMs } = await packOutput({
      ...context,
      job,
      sandbox,
      redactor,
      signal: time.signal,
    });
    await setOutput(context.store, job.id, info);
    const { bytes, files, left_out } = info;
    const events: NewEvent[] = [
      { type: 'output.packed', data: { bytes, files, left_out, duration_ms: Math.round(durationMs) } },
    ];
    if (cut !== null) {
      log.warn({ err: cut }, 'the output is incomplete');
      events.push({ type: 'notice', data: { text: `The output is incomplete: ${wordsOf(cut)}` } });
    }
    // An ended job takes no more events; its status tells of the output.
    if (!control.stopped.aborted) await recorder.append(...events);
    if (cut !== null && !time.signal.aborted) throw cut;
  } finally {
    time.end();
  }
}

/** Kills what runs in the sandbox, as far as that is possible in short time. */
export async function killProcesses({ started: { sandbox } }: JobSandbox): Promise<void> {
  const signal = AbortSignal.timeout(KILL_MS);
  const killed = sandbox
    .processes({ signal })
    .then((all) => all.filter((one) => one.ended === null))
    .then((all) => Promise.allSettled(all.map(({ id }) => sandbox.signal(id, 'SIGKILL', { signal }))));
  await settledWithin(killed, KILL_MS);
}

/** A signal that ends packing in time: long for a job that has ended by itself, short from when it is stopped. */
function packingTime(stopped: AbortSignal): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort(new Error('packing ran out of time'));
  let timer = setTimeout(abort, PACK_MS);
  const hurry = () => {
    clearTimeout(timer);
    timer = setTimeout(abort, STOPPED_PACK_MS);
  };
  if (stopped.aborted) hurry();
  else stopped.addEventListener('abort', hurry, { once: true });
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      stopped.removeEventListener('abort', hurry);
    },
  };
}
