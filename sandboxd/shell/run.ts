import { CodedError } from '../../src/protocol/errors.ts';
import { FRAME } from '../../src/protocol/frames.ts';
import type { ShellRun } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import type { Listed } from '../process/table.ts';
import type { Call } from '../serve/call.ts';
import type { ShellCommand } from './command.ts';

const MAX_COMMAND_CHARS = 500;

/** Runs a command in a lasting shell session. */
export async function runShell(args: ShellRun, call: Call, daemon: Daemon): Promise<void> {
  if (args.command.includes('\0')) throw new CodedError('INVALID_ARGUMENT', 'A command must hold no NUL.');
  let listed: Listed | null = null;
  try {
    const ended = await daemon.sessions.get(args.session).run(
      {
        file: daemon.sessions.nextFile(),
        command: args.command,
        timeoutMs: args.timeout_ms,
        env: args.env,
        stdout: (bytes) => call.send(FRAME.data, bytes),
        stderr: (bytes) => call.send(FRAME.stderr, bytes),
        signal: call.signal,
      },
      (command) => {
        listed = list(command, args.command);
        daemon.processes.add(listed);
      },
    );
    if (listed) daemon.processes.end(listed, ended);
    await call.json(ended);
  } catch (error) {
    if (listed) daemon.processes.forget(listed);
    throw error;
  }
}

function list(command: ShellCommand, line: string): Listed {
  return {
    id: command.id,
    pid: command.pid,
    command: line.slice(0, MAX_COMMAND_CHARS),
    began: performance.now(),
    ended: null,
    kept: null,
    stdin: null,
    bytes: () => ({ stdout: command.stdout.bytes, stderr: command.stderr.bytes }),
    signal: command.signal,
  };
}
