import type { z } from 'zod';
import type { ProcessSignal } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';

/** Sends a signal to a process, or to all that belongs to it. To one that has ended: no error. */
export async function signalProcess(
  args: z.infer<typeof ProcessSignal>,
  call: Call,
  daemon: Daemon,
): Promise<void> {
  const listed = daemon.processes.get(args.id);
  // The number of one that has ended may be another's by now; the tree is told by more than the number.
  if (!listed.ended || args.tree) listed.signal(args.signal, args.tree);
  await call.json({});
}
