import type { z } from 'zod';
import { CALLS, ProcessAttached, type ProcessInfo } from '../../protocol/sandboxd.ts';
import type { OutputOptions, Sandbox } from '../sandbox.ts';
import { parseFrame, unexpected } from './answer.ts';
import { callWithOutput } from './call-with-output.ts';
import type { Link } from './link.ts';

/** Streams what a background process has printed. */
export async function attach(
  link: Link,
  request: Parameters<Sandbox['attach']>[0],
  { signal, onOutput }: OutputOptions = {},
): Promise<{ info: ProcessInfo; stdoutAt: number; stderrAt: number }> {
  const args = {
    id: request.id,
    stdout_from: request.stdoutFrom ?? 0,
    stderr_from: request.stderrFrom ?? 0,
    follow: request.follow ?? false,
  };
  let last: z.infer<typeof ProcessAttached> | null = null;
  const session = await link.session(signal);
  await callWithOutput(session, { path: CALLS.processAttach, args, signal }, onOutput, (frame) => {
    last = parseFrame(ProcessAttached, frame);
  });
  if (!last) throw unexpected('no message');
  const { info, stdout_at, stderr_at } = last as z.infer<typeof ProcessAttached>;
  return { info, stdoutAt: stdout_at, stderrAt: stderr_at };
}
