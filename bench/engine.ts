import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { readConfig } from '../src/config.ts';
import { newId } from '../src/protocol/ids.ts';
import { readCaBundle } from '../src/sandbox/ca-bundle.ts';
import { dockerDriver } from '../src/sandbox/docker/driver.ts';
import type { SandboxSpec } from '../src/sandbox/driver.ts';
import { parseRanges } from '../src/sandbox/egress/addresses.ts';
import { defaultImage } from '../src/sandbox/image.ts';
import { ociDriver } from '../src/sandbox/oci/driver.ts';
import { ociStore } from '../src/sandbox/oci/store.ts';
import { type StartOptions, startSandbox } from '../src/sandbox/start.ts';

const log = pino({ level: 'warn' });
const installation = `bench-${randomBytes(4).toString('hex')}`;

export const image = process.env.SANDBOX_IMAGE ?? defaultImage();

/** Runs the engine's own command line, what a person would compare with. */
export const docker = (...args: string[]) => promisify(execFile)('docker', args);

export function benchSpec(): SandboxSpec {
  return {
    id: newId(),
    installation,
    worker: 'bench',
    limits: { cpus: 2, memory_mb: 2_048, disk_mb: 8_192, pids: 512 },
    privileges: 'user',
  };
}

export type Engine = 'docker' | 'oci';

/** Where the engine oci keeps what it has. */
export const store = ociStore(readConfig(process.env));

export async function benchOptions(engine: Engine = 'docker'): Promise<StartOptions> {
  return {
    driver: engine === 'oci' ? ociDriver({ store, image, log }) : dockerDriver({ image, log }),
    caBundle: await readCaBundle({ SANDBOX_CA_CERTS: undefined }, process.env, log),
    privateAllow: parseRanges(['127.0.0.0/8']),
    log,
  };
}

/** A started sandbox for as long as the action takes. */
export async function withSandbox<T>(
  action: (started: Awaited<ReturnType<typeof startSandbox>>) => Promise<T>,
): Promise<T> {
  const started = await startSandbox(benchSpec(), await benchOptions());
  try {
    return await action(started);
  } finally {
    await started.destroy();
  }
}
