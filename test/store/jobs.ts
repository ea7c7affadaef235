import type { NewEvent } from '../../src/protocol/events.ts';
import type { AcceptedRequest, Job } from '../../src/protocol/job.ts';
import type { Fence } from '../../src/store/fence.ts';
import { scheduleJob } from '../../src/store/schedule-job.ts';
import { startAttempt } from '../../src/store/start-attempt.ts';
import type { Store } from '../../src/store/store.ts';

/** A request as the API accepts it. */
export function acceptedRequest(changes: Partial<AcceptedRequest> = {}): AcceptedRequest {
  return {
    prompt: '```bash\necho hello\n```',
    agent: 'runbook',
    model: null,
    files: [],
    git: null,
    env: {},
    secret_names: [],
    network: { mode: 'public', allow: [] },
    limits: {
      cpus: 1,
      memory_mb: 512,
      disk_mb: 512,
      pids: 128,
      timeout_s: 60,
      max_steps: 10,
      max_tokens: 10_000,
      max_cost_usd: null,
    },
    privileges: 'user',
    desktop: { width: 1_280, height: 800 },
    output: { include: ['**'], exclude: [] },
    labels: {},
    priority: 0,
    callback_url: null,
    ...changes,
  };
}

interface Scheduling {
  request?: Partial<AcceptedRequest>;
  secrets?: Record<string, string>;
}

/** Schedules a job as the API does. */
export async function schedule(store: Store, { request, secrets = {} }: Scheduling = {}): Promise<Job> {
  const options = { request: acceptedRequest(request), secrets, inputs: null, idempotency: null };
  return (await scheduleJob(store, options)).job;
}

/** Takes the next job of the queue as a worker does. */
export async function take(store: Store, workerId = 'worker') {
  const [delivery] = await store.queue.fetch(1);
  if (!delivery) throw new Error('expected a job in the queue; found none');
  const job = await startAttempt(store, { ...delivery, workerId });
  return { delivery, job };
}

/** Schedules a job and takes it. */
export async function running(
  store: Store,
  options?: Scheduling,
): Promise<{ fence: Fence; deliveryId: string }> {
  await schedule(store, options);
  const { job, delivery } = await take(store);
  if (!job) throw new Error('expected to start the job');
  return { fence: { jobId: job.id, attempt: job.attempt }, deliveryId: delivery.deliveryId };
}

export const notice = (text: string): NewEvent => ({ type: 'notice', data: { text } });
