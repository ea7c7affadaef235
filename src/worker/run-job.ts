import { layered } from '../agent/context/layered.ts';
import { createAgent } from '../agent/create-agent.ts';
import { recallFrom } from '../agent/recall.ts';
import type { JobEvent } from '../protocol/events.ts';
import { portUrl } from '../protocol/ports.ts';
import { readControl } from '../store/desktop-control.ts';
import { endJob } from '../store/end-job.ts';
import type { Delivery } from '../store/queue/queue.ts';
import { readNotebook } from '../store/read-notebook.ts';
import { startAttempt } from '../store/start-attempt.ts';
import { abortable, settledWithin } from './abortable.ts';
import { type Attempt, beginAttempt } from './attempt.ts';
import { concludeAttempt } from './conclude-attempt.ts';
import type { WorkerContext } from './context.ts';
import { holdSandbox } from './hold-sandbox.ts';
import { jobImages } from './job-images.ts';
import { type JobSandbox, openSandbox } from './open-sandbox.ts';
import { prepareInput } from './prepare-input.ts';
import { saveOutput } from './save-output.ts';
import type { Place } from './slots.ts';
import { untilStored } from './until-stored.ts';

const LAST_WORDS_MS = 500;

/**
 * Runs a job from its delivery to its end: the story of every job. Whatever goes wrong ends in `concludeAttempt`, which
 * ends the job, hands it back or lets it go, and says whether its sandbox stays for another attempt.
 * @throws only what the store fails with before the attempt has begun.
 */
export async function runJob(context: WorkerContext, delivery: Delivery, place: Place): Promise<void> {
  const job = await startAttempt(context.store, { ...delivery, workerId: context.id });
  if (job === null) return await context.store.queue.done(delivery.deliveryId);
  const attempt = await beginAttempt(context, job, place);
  context.running.set(job.id, attempt.running);
  let held: JobSandbox | null = null;
  let keep = false;
  try {
    // Whatever happened to the job before anyone could tell this attempt.
    await attempt.recheck();
    attempt.control.signal.throwIfAborted();
    const before = await attempt.history();
    held = await openSandbox(context, attempt, before);
    if (!held.kept) await bringInput(context, attempt, held);
    // One that clients use runs nothing here: it takes no job's place, MAX_SANDBOXES limits how many there are.
    if (job.request.agent === 'none') place.giveBack();
    const { summary } = await work(context, attempt, held, await attempt.history());
    attempt.control.stopClock();
    await saveOutput(context, attempt, held);
    await attempt.recorder.end();
    await complete(context, attempt, summary);
  } catch (error) {
    keep = await concludeAttempt(context, attempt, held, error);
  } finally {
    await (keep ? held?.leave() : held?.destroy());
    await attempt.recorder.end();
    attempt.control.stopClock();
    // A later attempt may be here already, of a job that this one had lost.
    if (context.running.get(job.id) === attempt.running) context.running.delete(job.id);
  }
}

async function bringInput(
  { store }: WorkerContext,
  attempt: Attempt,
  { started }: JobSandbox,
): Promise<void> {
  const { job, env, control, recorder, redactor } = attempt;
  const data = await prepareInput({
    store,
    job,
    sandbox: started.sandbox,
    env,
    signal: control.signal,
    log: recorder.log,
    redact: redactor.text,
  });
  await recorder.append({ type: 'input.ready', data });
}

async function work(
  { createModel, config, store, baseUrl }: WorkerContext,
  { job, env, control, recorder, redactor }: Attempt,
  { started, kept }: JobSandbox,
  history: JobEvent[],
): Promise<{ summary: string }> {
  const { agent, model } = job.request;
  if (agent === 'none') return holdSandbox(store, job.id, control.signal);
  const modelId = model ?? config.MODEL;
  const working = createAgent(agent)({
    job,
    sandbox: started.sandbox,
    history,
    sandboxKept: kept,
    env,
    model: agent === 'llm' && modelId !== undefined ? createModel(modelId) : null,
    signal: control.signal,
    append: recorder.append,
    log: recorder.log,
    redact: redactor.text,
    window: { settings: config, strategy: layered },
    images: jobImages(store, job.id),
    checkpoint: control.checkpoint,
    notebook: () => readNotebook(store, job.id),
    recall: recallFrom(store, job.id),
    waitForMessage: control.waitForMessage,
    portUrl: (port) => portUrl(baseUrl(), config.PORTS_DOMAIN, { id: job.id, port }),
    desktopHolder: async () => (await readControl(store, job.id))?.holder ?? null,
  });
  try {
    return await abortable(working, control.signal);
  } catch (error) {
    // What it has under way ends with the signal; its last words belong into the log.
    await settledWithin(working, LAST_WORDS_MS);
    throw error;
  }
}

/** A job is complete only when nothing has come between: a lost sandbox, or an end from outside. */
async function complete(
  { store }: WorkerContext,
  { fence, control, redactor }: Attempt,
  summary: string,
): Promise<void> {
  control.signal.throwIfAborted();
  await untilStored(() =>
    endJob(store, fence, { status: 'complete', error: null, summary: redactor.text(summary) }),
  );
}
