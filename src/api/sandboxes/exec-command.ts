import type { ExecLine, ExecRequest, ExecResult, ShellRequest } from '../../protocol/sandbox-api.ts';
import type { ProcessEnded, ShellEnded } from '../../protocol/sandboxd.ts';
import type { OutputOptions, Sandbox, ExecRequest as SandboxExec } from '../../sandbox/sandbox.ts';
import { decodeOutput, type OutputStream } from './decode-output.ts';
import { pacedLines } from './paced-lines.ts';

const DEFAULT_TIMEOUT_S = 600;
const MAX_RESULT_CHARS = 1024 * 1024;

/** Something that prints and ends, as a process does. */
export type Command<Ended extends ProcessEnded> = (options: OutputOptions) => Promise<Ended>;

/** A command, or a program with its arguments. */
export function execCommand(sandbox: Sandbox, request: ExecRequest): Command<ProcessEnded> {
  const { command, argv, cwd, env, stdin, timeout_s = DEFAULT_TIMEOUT_S } = request;
  const wanted: SandboxExec = {
    ...(argv ? { argv } : { shell: command ?? '' }),
    ...(cwd !== undefined && { cwd }),
    ...(env && { env }),
    ...(stdin !== undefined && { stdin: Buffer.from(stdin) }),
    timeoutMs: timeout_s * 1_000,
  };
  return (options) => sandbox.exec(wanted, options);
}

/** A command in a lasting shell session. */
export function shellCommand(sandbox: Sandbox, request: ShellRequest): Command<ShellEnded> {
  const { command, session, env, timeout_s = DEFAULT_TIMEOUT_S } = request;
  const wanted = { command, session, timeoutMs: timeout_s * 1_000, ...(env && { env }) };
  return (options) => sandbox.shell(wanted, options);
}

/** Runs it to its end and gives what it printed, as far as that is kept. Throws as the sandbox does. */
export async function runToEnd<Ended extends ProcessEnded>(
  command: Command<Ended>,
  signal: AbortSignal,
): Promise<Omit<Ended, 'event'> & Pick<ExecResult, 'stdout' | 'stderr' | 'truncated'>> {
  const texts: Record<OutputStream, string> = { stdout: '', stderr: '' };
  let truncated = false;
  const decoded = decodeOutput((stream, text) => {
    const room = MAX_RESULT_CHARS - texts[stream].length;
    texts[stream] += text.slice(0, room);
    truncated ||= text.length > room;
    return undefined;
  });
  const ended = await command({ signal, onOutput: decoded.take });
  await decoded.end();
  const { event: _event, ...result } = ended;
  return { ...result, ...texts, truncated };
}

/** Runs it and gives what it prints as lines, last how it ended. To stop taking them is to end it. */
export function streamLines<Ended extends ProcessEnded>(command: Command<Ended>, signal: AbortSignal) {
  type Line = Extract<ExecLine, { text: string }> | (Omit<Ended, 'event'> & { type: 'ended' });
  return pacedLines<Line>(signal, async (add, stopped) => {
    const decoded = decodeOutput((stream, text) => add({ type: stream, text }));
    const { event: _event, ...ended } = await command({ signal: stopped, onOutput: decoded.take });
    await decoded.end();
    return { type: 'ended', ...ended };
  });
}
