import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Model } from '../model/model.ts';
import type { Driver } from '../sandbox/driver.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Store } from '../store/store.ts';
import type { JobControl } from './job-control.ts';
import type { SandboxSource } from './sandbox-source.ts';

/** A job that this worker runs now. */
export interface RunningJob {
  control: JobControl;
  /** Null until it has started, and once it is let go. */
  sandbox: Sandbox | null;
}

/** What all jobs of a worker share. */
export interface WorkerContext {
  id: string;
  config: Config;
  store: Store;
  driver: Driver;
  sandboxes: SandboxSource;
  /** @throws CodedError MODEL_UNKNOWN, MODEL_NOT_CONFIGURED */
  createModel: (id: string) => Model;
  /** Where clients reach the API. */
  baseUrl: () => string;
  log: Logger;
  /** By the job's id. */
  running: Map<string, RunningJob>;
}
