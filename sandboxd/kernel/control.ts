import type { z } from 'zod';
import type { KernelNamed } from '../../src/protocol/kernel.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';

type Named = z.infer<typeof KernelNamed>;

/** Stops what a kernel runs, keeping its state if it can; the run tells how that ended. */
export async function interruptKernel({ name }: Named, call: Call, { kernels }: Daemon): Promise<void> {
  kernels.get(name).interrupt();
  await call.json({});
}

/** Ends a kernel's process, and with it what it runs; the next run has a new one. */
export async function restartKernel({ name }: Named, call: Call, { kernels }: Daemon): Promise<void> {
  await kernels.get(name).restart();
  await call.json({});
}

/** Ends a kernel and forgets it. */
export async function stopKernel({ name }: Named, call: Call, { kernels }: Daemon): Promise<void> {
  await kernels.stop(name);
  await call.json({});
}

/** Lists the kernels there are, and the kinds there could be. */
export async function listKernels(_args: object, call: Call, { kernels }: Daemon): Promise<void> {
  await call.json(kernels.list());
}
