import { CALLS, ProcessStarted } from '../../protocol/sandboxd.ts';
import type { CallOptions, ExecRequest } from '../sandbox.ts';
import { callForOne } from './answer.ts';
import { startArguments } from './exec.ts';
import type { Link } from './link.ts';

/** Starts a process that outlives the call. */
export async function spawn(
  link: Link,
  request: Omit<ExecRequest, 'stdin'>,
  { signal }: CallOptions = {},
): Promise<{ id: string; pid: number }> {
  const args = { ...startArguments(request), background: true, stdin: true };
  const session = await link.session(signal);
  const { id, pid } = await callForOne(session, { path: CALLS.processStart, args, signal }, ProcessStarted);
  return { id, pid };
}
