import { readFileSync } from 'node:fs';
import { afterAll, beforeAll } from 'vitest';
import { connectSandbox } from '../../src/sandbox/connection/connect-sandbox.ts';
import type { OutputOptions, Sandbox } from '../../src/sandbox/sandbox.ts';
import { LocalSandbox } from './local-sandbox.ts';

/** A sandboxd and a connection to it for the tests of a file. */
export function useSandbox(): { local: LocalSandbox; sandbox: Sandbox } {
  const used = {} as { local: LocalSandbox; sandbox: Sandbox };
  beforeAll(async () => {
    used.local = await LocalSandbox.start();
    used.sandbox = await connectSandbox(used.local.driver, used.local.handle);
  });
  afterAll(async () => {
    await used.sandbox?.close();
    await used.local?.[Symbol.asyncDispose]();
  });
  return used;
}

/** Collects output as text. */
export function collect(): OutputOptions & { stdout: string; stderr: string } {
  const collected = {
    stdout: '',
    stderr: '',
    onOutput(stream: 'stdout' | 'stderr', bytes: Buffer) {
      collected[stream] += bytes.toString('latin1');
    },
  };
  return collected;
}

/** Whether a process runs; one that only waits for its parent to look does not. */
export function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}
