import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { isFinal, type Job } from '../protocol/job.ts';
import { parseRanges } from '../sandbox/egress/addresses.ts';
import { limitLookups, resolveHost } from '../sandbox/egress/lookup.ts';
import { getJob } from '../store/get-job.ts';
import type { Store } from '../store/store.ts';
import { liveWorkers } from '../store/workers.ts';
import { sendCallback } from './callback.ts';

/** Jobs whose callback was sent are remembered, since more than one sign of a job's end may come. */
const REMEMBERED = 1_000;

export interface Callbacks {
  /** A job that this worker had is over, or handed back. */
  ended(jobId: string): void;
  /** Something happened to a job that this worker does not have: its end, perhaps. */
  endedElsewhere(jobId: string): void;
  /** Gives up what is under way. */
  stop(): Promise<void>;
}

/**
 * Sends each ended job's callback from one worker: the one that ran it, else (cancelled in the queue, say) the worker
 * that has been there longest. A process that dies meanwhile sends none: the status can always be asked for.
 */
export function createCallbacks(options: {
  config: Config;
  store: Store;
  worker: string;
  baseUrl: () => string;
  log: Logger;
}): Callbacks {
  const { config, store, worker, baseUrl, log } = options;
  const stopping = new AbortController();
  const sent = new Set<string>();
  const underWay = new Set<Promise<void>>();
  const lookup = limitLookups(resolveHost);
  const privateAllow = parseRanges(config.EGRESS_PRIVATE_ALLOW);

  async function send(jobId: string, isMine: (job: Job) => Promise<boolean>): Promise<void> {
    const job = await getJob(store, jobId);
    if (job === null || job.request.callback_url === null || !isFinal(job.status) || sent.has(jobId)) return;
    if (!(await isMine(job)) || sent.has(jobId)) return;
    sent.add(jobId);
    const [oldest] = sent;
    if (sent.size > REMEMBERED && oldest !== undefined) sent.delete(oldest);
    await sendCallback(job, {
      baseUrl: baseUrl(),
      outputPath: store.artifacts.outputPath,
      privateAllow,
      lookup,
      signal: stopping.signal,
      log,
    });
  }
  async function isLeft({ worker_id }: Job): Promise<boolean> {
    const live = (await liveWorkers(store)).map(({ id }) => id);
    return worker_id !== null && live.includes(worker_id) ? worker_id === worker : live[0] === worker;
  }
  function begin(jobId: string, isMine: (job: Job) => Promise<boolean>) {
    const sending = send(jobId, isMine)
      .catch((error: unknown) => log.warn({ err: error, job: jobId }, 'the callback of a job was not sent'))
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
  }
  return {
    ended: (jobId) => begin(jobId, async () => true),
    endedElsewhere: (jobId) => begin(jobId, isLeft),
    async stop() {
      stopping.abort();
      await Promise.all(underWay);
    },
  };
}
