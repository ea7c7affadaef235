import type { z } from 'zod';
import { CodedError } from '../../src/protocol/errors.ts';
import type { ProcessInput } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { feed } from './start.ts';

/** Writes to the stdin of a process. Waits as long as the process does not read. */
export async function writeInput(
  args: z.infer<typeof ProcessInput>,
  call: Call,
  daemon: Daemon,
): Promise<void> {
  const { stdin, ended } = daemon.processes.get(args.id);
  if (!stdin?.open || ended) {
    throw new CodedError('INVALID_ARGUMENT', `The process ${args.id} reads no input, or no longer.`);
  }
  await feed(call, stdin, args.end);
  await call.json({});
}
