import { CALLS, ProcessEnded, type ProcessStart } from '../../protocol/sandboxd.ts';
import type { ExecRequest, OutputOptions } from '../sandbox.ts';
import { parseFrame, unexpected } from './answer.ts';
import { asBytes } from './as-bytes.ts';
import { callWithOutput } from './call-with-output.ts';
import type { Link } from './link.ts';

export function startArguments(request: Omit<ExecRequest, 'stdin'>): ProcessStart {
  const { argv, shell, cwd, env, timeoutMs } = request;
  return {
    ...(argv && { argv }),
    ...(shell !== undefined && { shell }),
    ...(cwd !== undefined && { cwd }),
    ...(env && { env }),
    ...(timeoutMs !== undefined && { timeout_ms: Math.ceil(timeoutMs) }),
  };
}

/** Runs a process to its end. */
export async function exec(
  link: Link,
  request: ExecRequest,
  options: OutputOptions = {},
): Promise<ProcessEnded> {
  const { stdin } = request;
  const args = { ...startArguments(request), ...(stdin !== undefined && { stdin: true }) };
  let ended: ProcessEnded | null = null;
  await callWithOutput(
    await link.session(options.signal),
    {
      path: CALLS.processStart,
      args,
      input: stdin === undefined ? undefined : asBytes(stdin),
      signal: options.signal,
    },
    options.onOutput,
    (frame) => {
      ended = parseFrame(ProcessEnded, frame);
    },
  );
  if (!ended) throw unexpected('no end of the process');
  return ended;
}
