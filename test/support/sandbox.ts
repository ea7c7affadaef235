import { afterAll, onTestFinished } from 'vitest';
import { newId } from '../../src/protocol/ids.ts';
import type { ProcessEnded } from '../../src/protocol/sandboxd.ts';
import { readCaBundle } from '../../src/sandbox/ca-bundle.ts';
import type { Driver, SandboxSpec } from '../../src/sandbox/driver.ts';
import { parseRanges } from '../../src/sandbox/egress/addresses.ts';
import type { ExecRequest, OutputOptions, Sandbox } from '../../src/sandbox/sandbox.ts';
import { type StartedSandbox, type StartOptions, startSandbox } from '../../src/sandbox/start.ts';
import { silent, testDriver } from './engines.ts';
import { testInstallation } from './run-id.ts';

/** What to make, small enough that several fit beside one another. */
export function testSpec(
  given: Partial<Omit<SandboxSpec, 'limits'>> & { limits?: Partial<SandboxSpec['limits']> } = {},
): SandboxSpec {
  return {
    id: newId(),
    installation: testInstallation(),
    worker: 'test-worker',
    privileges: 'user',
    ...given,
    limits: { cpus: 2, memory_mb: 512, disk_mb: 1_024, pids: 256, ...given.limits },
  };
}

/** How sandboxes are started: with the machine's certificates, and loopback open to their egress. */
export async function startOptions(driver: Driver = testDriver()): Promise<StartOptions> {
  return {
    driver,
    caBundle: await readCaBundle({ SANDBOX_CA_CERTS: undefined }, process.env, silent),
    privateAllow: parseRanges(['127.0.0.0/8']),
    log: silent,
  };
}

/**
 * A started sandbox that goes when the test (or, for one that a hook makes, the file) is over.
 * @param lasts - 'file' where it is called outside of a test.
 */
export async function startTestSandbox(
  given: Parameters<typeof testSpec>[0] & { driver?: Driver; lasts?: 'test' | 'file' } = {},
): Promise<StartedSandbox> {
  const { driver, lasts = 'test', ...spec } = given;
  const started = await startSandbox(testSpec(spec), await startOptions(driver));
  const end = () => started.destroy();
  if (lasts === 'test') onTestFinished(end);
  else ofFile.push(end);
  return started;
}

const ofFile: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(ofFile.splice(0).map((end) => end()));
});

export interface Finished extends ProcessEnded {
  stdout: string;
  stderr: string;
}

/** Runs a command to its end, its output as text; a string is a line for the shell. */
export async function run(
  sandbox: Sandbox,
  command: string | ExecRequest,
  options: Omit<OutputOptions, 'onOutput'> = {},
): Promise<Finished> {
  const printed: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  const ended = await sandbox.exec(typeof command === 'string' ? { shell: command } : command, {
    ...options,
    onOutput: (stream, bytes) => void printed[stream].push(Buffer.from(bytes)),
  });
  const text = (stream: 'stdout' | 'stderr') => Buffer.concat(printed[stream]).toString();
  return { ...ended, stdout: text('stdout'), stderr: text('stderr') };
}
