import type { KernelDisplay, KernelEnded } from '../../src/protocol/kernel.ts';
import type { KernelRequest } from '../../src/sandbox/kernels.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';

export interface Ran extends KernelEnded {
  stdout: string;
  stderr: string;
  displays: KernelDisplay[];
  /** The value of the code as text. */
  result: string;
}

/** Runs code in a kernel to its end, with what came of it. */
export async function runCode(sandbox: Sandbox, request: KernelRequest): Promise<Ran> {
  const printed = { stdout: '', stderr: '' };
  const displays: KernelDisplay[] = [];
  const ended = await sandbox.kernels.run(request, {
    onOutput(stream, bytes) {
      printed[stream] += bytes.toString();
    },
    onDisplay: (display) => void displays.push(display),
  });
  const result = displays.find(({ kind }) => kind === 'result')?.data['text/plain'] ?? '';
  return { ...ended, ...printed, displays, result };
}
