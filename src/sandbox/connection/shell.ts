import { CALLS, ShellEnded } from '../../protocol/sandboxd.ts';
import type { OutputOptions, Sandbox } from '../sandbox.ts';
import { parseFrame, unexpected } from './answer.ts';
import { callWithOutput } from './call-with-output.ts';
import type { Link } from './link.ts';

/** Runs a command in a lasting shell session. */
export async function shell(
  link: Link,
  { command, session: name, timeoutMs, env }: Parameters<Sandbox['shell']>[0],
  { signal, onOutput }: OutputOptions = {},
): Promise<ShellEnded> {
  const args = {
    command,
    ...(name !== undefined && { session: name }),
    ...(timeoutMs !== undefined && { timeout_ms: Math.ceil(timeoutMs) }),
    ...(env && { env }),
  };
  let ended: ShellEnded | null = null;
  const session = await link.session(signal);
  await callWithOutput(session, { path: CALLS.shellRun, args, signal }, onOutput, (frame) => {
    ended = parseFrame(ShellEnded, frame);
  });
  if (!ended) throw unexpected('no end of the command');
  return ended;
}
