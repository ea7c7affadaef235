import { CodedError } from '../../src/protocol/errors.ts';
import type { KernelRun } from '../../src/protocol/kernel.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { RunOutput } from './run-output.ts';

/** Runs code in a lasting kernel. */
export async function runKernel(args: KernelRun, call: Call, { kernels }: Daemon): Promise<void> {
  if (args.code.includes('\0')) throw new CodedError('INVALID_ARGUMENT', 'Code must hold no NUL.');
  const { spec, name = spec } = args;
  const request = {
    code: args.code,
    timeoutMs: args.timeout_ms,
    env: args.env,
    output: new RunOutput(call),
    signal: call.signal,
  };
  const ended = await kernels.use(name, spec).run(request, (pid, fresh) => {
    void call.json({ event: 'started', name, pid, fresh })?.catch(() => {});
  });
  await call.json(ended);
}
