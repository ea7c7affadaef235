import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Config } from '../config.ts';
import type { Job } from '../protocol/job.ts';
import type { EngineState } from '../sandbox/engine-state.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Store } from '../store/store.ts';
import type { Keys } from './keys.ts';
import type { Keeper } from './live/keep.ts';
import type { Streams } from './streams.ts';

/** How long the server waits, in milliseconds. */
export interface Deadlines {
  /** For a request's headers. */
  headers: number;
  /** For a JSON body, from its first byte to its last. */
  body: number;
  /** For any sign of life on a connection; calls that stream for long end it themselves. */
  idle: number;
  /** Between two heartbeats of an event stream. */
  heartbeat: number;
}

/** What the API is built from. It imports no worker, agent or driver: what it needs of them is given here. */
export interface BuildApiOptions {
  config: Config;
  store: Store;
  /** The live sandbox of a job, or null where there is none (or another machine holds it). */
  live: (job: Job) => Promise<Sandbox | null>;
  /** Whether sandboxes can be made; may take long or throw, readiness copes. */
  engine: () => Promise<EngineState>;
  /** Whether root inside a sandbox is nobody outside, so that a job may ask for it. Default false. */
  rootIsSafe?: boolean;
  /** Gauges of the process for /metrics, by name, such as `sandboxes_live`; read at each scrape. */
  stats?: () => Record<string, number>;
  log: FastifyBaseLogger;
  version: string;
  deadlines?: Partial<Deadlines>;
}

/** What every route is given. */
export interface Api extends BuildApiOptions {
  deadlines: Deadlines;
  streams: Streams;
  keys: Keys;
  keeper: Keeper;
  /** Whether the request carries one of the keys (always, where none are set). */
  isAuthorized(request: FastifyRequest): boolean;
}

export const DEFAULT_DEADLINES: Deadlines = {
  headers: 15_000,
  body: 30_000,
  idle: 60_000,
  heartbeat: 15_000,
};

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;
