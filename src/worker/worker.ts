import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Model } from '../model/model.ts';
import { newId } from '../protocol/ids.ts';
import type { Driver } from '../sandbox/driver.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Store } from '../store/store.ts';
import { liveWorkers, registerWorker, removeWorker } from '../store/workers.ts';
import { settledWithin } from './abortable.ts';
import { createCallbacks } from './callbacks.ts';
import { startClaimLoop } from './claim-loop.ts';
import type { RunningJob, WorkerContext } from './context.ts';
import { startMaintenance } from './maintenance.ts';
import { runJob } from './run-job.ts';
import { openSandboxSource } from './sandbox-source.ts';
import { Stopped } from './stopped.ts';
import { watchControls } from './watch-controls.ts';

export interface WorkerOptions {
  config: Config;
  store: Store;
  driver: Driver;
  /** @throws CodedError MODEL_UNKNOWN, MODEL_NOT_CONFIGURED */
  createModel: (id: string) => Model;
  log: Logger;
  /** Where clients reach the API, for the links of callbacks. Default: PUBLIC_URL, else HOST and PORT. */
  baseUrl?: () => string;
}

/** Gauges for /metrics. */
export interface WorkerState extends Record<string, number> {
  jobs_claimed: number;
  sandboxes_live: number;
  sandboxes_warm: number;
}

export interface Worker {
  readonly id: string;
  /** The sandbox of a job that this worker runs; null of any other. */
  live(jobId: string): Sandbox | null;
  state(): WorkerState;
  /**
   * Claims nothing more; running jobs may go on for `graceS` seconds (default SHUTDOWN_GRACE_S), waiting ones do not.
   * Then they are handed back to the queue, their sandboxes kept for whoever goes on with them. A second call with
   * less grace shortens the first.
   */
  stop(graceS?: number): Promise<void>;
}

/**
 * Starts a worker: it registers, sweeps up what a crash has left, and claims jobs until it is stopped.
 * With WORKER_CONCURRENCY=0 it only keeps the store in order.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { config, store, driver, createModel } = options;
  const id = newId();
  const log = options.log.child({ worker: id });
  const running = new Map<string, RunningJob>();
  const info = () => ({ host: hostname(), pid: process.pid, concurrency: config.WORKER_CONCURRENCY });
  // On the embedded database no other process can be alive, however fresh the heartbeat that a crash has left is.
  if (store.singleNode) for (const gone of await liveWorkers(store)) await removeWorker(store, gone.id);
  if (config.WORKER_CONCURRENCY > 0) await registerWorker(store, id, info());
  const sandboxes = await openSandboxSource({
    config,
    driver,
    installation: store.installation,
    worker: id,
    log,
  });
  // Asked for before the API listens, it is where the API will.
  const baseUrl = () => options.baseUrl?.() || (config.PUBLIC_URL ?? `http://${config.HOST}:${config.PORT}`);
  const context: WorkerContext = {
    ...{ id, config, store, driver, sandboxes, createModel, baseUrl, log, running },
  };
  const callbacks = createCallbacks({ config, store, worker: id, baseUrl, log });
  const watch = watchControls({ store, running, onOther: callbacks.endedElsewhere, log });
  const loop = startClaimLoop({
    queue: store.queue,
    concurrency: config.WORKER_CONCURRENCY,
    engine: () => driver.check(),
    async run(delivery, place) {
      await runJob(context, delivery, place);
      callbacks.ended(delivery.jobId);
    },
    onLost: watch.look,
    log,
  });
  const maintenance = startMaintenance({
    store,
    driver,
    worker: id,
    info,
    holds: sandboxes.holds,
    runsJobs: config.WORKER_CONCURRENCY > 0,
    log,
  });

  const handBack = () => {
    for (const { control } of running.values()) control.abort(new Stopped('shutdown'));
  };
  let stopped: Promise<void> | undefined;
  async function shutDown(graceS: number): Promise<void> {
    loop.stopClaiming();
    for (const { control } of running.values()) if (control.waiting()) control.abort(new Stopped('shutdown'));
    await settledWithin(loop.done(), graceS * 1_000);
    handBack();
    await loop.done();
    loop.close();
    watch.stop();
    await maintenance.stop();
    await callbacks.stop();
    await sandboxes.stop();
    await removeWorker(store, id).catch((error: unknown) =>
      log.warn({ err: error }, 'the worker stays registered'),
    );
  }
  return {
    id,
    live: (jobId) => running.get(jobId)?.sandbox ?? null,
    state: () => ({
      jobs_claimed: loop.claimed(),
      sandboxes_live: [...running.values()].filter(({ sandbox }) => sandbox !== null).length,
      sandboxes_warm: sandboxes.warm(),
    }),
    stop(graceS = config.SHUTDOWN_GRACE_S) {
      if (stopped && graceS === 0) handBack();
      stopped ??= shutDown(graceS);
      return stopped;
    },
  };
}
