import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { newId } from '../protocol/ids.ts';
import type { AcceptedRequest } from '../protocol/job.ts';
import { readCaBundle } from '../sandbox/ca-bundle.ts';
import type { Driver, SandboxHandle, SandboxSpec } from '../sandbox/driver.ts';
import { parseRanges } from '../sandbox/egress/addresses.ts';
import { createPool } from '../sandbox/pool.ts';
import { attachSandbox, type StartedSandbox, type StartOptions, startSandbox } from '../sandbox/start.ts';

type Wanted = Pick<AcceptedRequest, 'limits' | 'privileges'>;

/** Where a worker's sandboxes come from. It knows which ones this process has, so that nobody takes them for lost. */
export interface SandboxSource {
  /** One that is ready for commands: a warm one where the limits are the default ones, else a new one. */
  take(wanted: Wanted, signal: AbortSignal): Promise<{ started: StartedSandbox; warm: boolean }>;
  /** Takes hold of one that an earlier attempt has left. @throws CodedError SANDBOX_LOST, ENGINE_UNAVAILABLE */
  attach(handle: SandboxHandle, signal: AbortSignal): Promise<StartedSandbox>;
  /** Whether this process has it, or is making it. */
  holds(sandboxId: string): boolean;
  /** Warm ones that are ready. */
  warm(): number;
  /** Destroys the warm ones. */
  stop(): Promise<void>;
}

/** @throws CodedError and RangeError for settings that name what is not there. */
export async function openSandboxSource(options: {
  config: Config;
  driver: Driver;
  installation: string;
  worker: string;
  log: Logger;
}): Promise<SandboxSource> {
  const { config, driver, installation, worker, log } = options;
  const caBundle = await readCaBundle(config, process.env, log);
  const privateAllow = parseRanges(config.EGRESS_PRIVATE_ALLOW);
  const startOptions: StartOptions = { driver, caBundle, privateAllow, log };
  const defaults: Wanted = { limits: defaultLimits(config), privileges: 'user' };
  const held = new Set<string>();

  /** Counts it as held from before it is made until it is let go. */
  async function hold(id: string, begin: () => Promise<StartedSandbox>): Promise<StartedSandbox> {
    held.add(id);
    const letGo = (end: () => Promise<void>) => () => end().finally(() => held.delete(id));
    try {
      const started = await begin();
      return { ...started, release: letGo(started.release), destroy: letGo(started.destroy) };
    } catch (error) {
      held.delete(id);
      throw error;
    }
  }
  function make({ limits, privileges }: Wanted, signal: AbortSignal): Promise<StartedSandbox> {
    const { cpus, memory_mb, disk_mb, pids } = limits;
    const id = newId();
    const spec: SandboxSpec = {
      id,
      installation,
      worker,
      limits: { cpus, memory_mb, disk_mb, pids },
      privileges,
    };
    return hold(id, () => startSandbox(spec, startOptions, signal));
  }
  const size = config.WORKER_CONCURRENCY > 0 ? config.WARM_SANDBOXES : 0;
  const pool = createPool({ size, start: (signal) => make(defaults, signal), log });

  return {
    async take(wanted, signal) {
      const ready = isDefault(wanted, defaults) ? await pool.take() : null;
      if (ready === null) return { started: await make(wanted, signal), warm: false };
      if (!signal.aborted) return { started: ready, warm: true };
      await ready.destroy();
      throw signal.reason;
    },
    attach: (handle, signal) => hold(handle.id, () => attachSandbox(handle, startOptions, signal)),
    holds: (id) => held.has(id),
    warm: () => pool.ready(),
    stop: () => pool.stop(),
  };
}

function isDefault(wanted: Wanted, defaults: Wanted): boolean {
  const names = ['cpus', 'memory_mb', 'disk_mb', 'pids'] as const;
  return (
    wanted.privileges === defaults.privileges &&
    names.every((name) => wanted.limits[name] === defaults.limits[name])
  );
}

/** The limits that decide what a sandbox is; the others are the job's alone. */
function defaultLimits(config: Config): Wanted['limits'] {
  return {
    cpus: config.LIMIT_CPUS,
    memory_mb: config.LIMIT_MEMORY_MB,
    disk_mb: config.LIMIT_DISK_MB,
    pids: config.LIMIT_PIDS,
    timeout_s: config.LIMIT_TIMEOUT_S,
    max_steps: config.LIMIT_STEPS,
    max_tokens: config.LIMIT_TOKENS,
    max_cost_usd: config.LIMIT_COST_USD ?? null,
  };
}
