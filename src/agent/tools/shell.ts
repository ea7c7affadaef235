import { z } from 'zod';
import { WORKSPACE } from '../../protocol/job.ts';
import type { ShellEnded } from '../../protocol/sandboxd.ts';
import { startBackground } from '../background.ts';
import { OutputCapture } from '../output-capture.ts';
import { defineTool, type ToolCallContext, type ToolResult } from '../tool.ts';

const DEFAULT_TIMEOUT_S = 120;
const MAX_TIMEOUT_S = 3_600;

export const shell = defineTool({
  name: 'shell',
  description: `Runs a bash command in a lasting shell session: the directory, variables and functions stay from call to call. You see stdout and stderr together and the exit code; a command that fails is no error of the tool. Nothing can be typed in: use flags such as -y and never start an editor or a pager.
- A command is stopped with everything that it started after timeout_s (default ${DEFAULT_TIMEOUT_S}, at most ${MAX_TIMEOUT_S}); you still see what it printed.
- Of output over 30,000 characters you see the head and the tail; the whole is in a file that is named.
- background: true is for servers and watchers: it starts the command and returns at once with an id. See what it prints, or wait for it, with shell_output; end it with shell_kill.`,
  input: z.strictObject({
    command: z.string().min(1).max(200_000),
    timeout_s: z.int().min(1).max(MAX_TIMEOUT_S).optional(),
    background: z.boolean().optional(),
  }),
  summary: ({ command, background }) => `$ ${command}${background ? ' &' : ''}`,
  run: ({ command, timeout_s, background }, call) =>
    background ? inBackground(command, call) : inSession(command, timeout_s ?? DEFAULT_TIMEOUT_S, call),
});

async function inSession(command: string, timeoutS: number, call: ToolCallContext): Promise<ToolResult> {
  const output = new OutputCapture(call.sandbox, call.name, call.redact);
  const ended = await call.sandbox.shell(
    { command, timeoutMs: timeoutS * 1_000, env: call.env },
    {
      signal: call.signal,
      onOutput: async (stream, bytes) => {
        await Promise.all([call.log(stream, bytes), output.add(stream, bytes)]);
      },
    },
  );
  const { text, file, leftOut } = await output.end();
  const notes = [howItEnded(ended, timeoutS)];
  if (ended.oom_killed) notes.push("the sandbox's memory limit killed something");
  if (ended.restarted)
    notes.push(`the shell was started anew in ${ended.cwd}: its variables and functions are gone`);
  return {
    content: `${text.trimEnd()}\n[${notes.join('; ')}]`.trimStart(),
    exitCode: ended.exit_code,
    fullOutput: file,
    leftOut,
  };
}

function howItEnded({ timed_out, signal, exit_code }: ShellEnded, timeoutS: number): string {
  if (timed_out) return `stopped after ${timeoutS} s; give it more time, or run it in the background`;
  return signal ? `ended by ${signal}` : `exit code ${exit_code}`;
}

async function inBackground(command: string, call: ToolCallContext): Promise<ToolResult> {
  const { id, pid, file } = await startBackground(command, call);
  return {
    content: `Started in the background as process ${pid}. Its output goes to ${WORKSPACE}/${file}. Its id for shell_output and shell_kill is ${id}.`,
  };
}
