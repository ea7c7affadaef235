import { closeSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { newId } from '../../src/protocol/ids.ts';
import { MARK } from '../process/environment.ts';
import { Output, type Sink } from '../process/output.ts';
import { closePipe, type Pipe, type Pipes } from '../process/pipes.ts';
import { nowTicks } from '../process/proc.ts';
import { type Belongs, membersOf, signalAll } from '../process/tree.ts';
import { type Bash, sourceLines } from './bash.ts';
import { commandTree } from './command-tree.ts';
import { Farewell } from './farewell.ts';

export interface ShellRequest {
  /** File that the command is put into: the name that bash gives it in its messages. */
  file: string;
  command: string;
  timeoutMs: number | undefined;
  env: Record<string, string> | undefined;
  stdout: Sink;
  stderr: Sink;
  signal: AbortSignal;
}

/** A command that runs in a session. */
export interface ShellCommand {
  id: string;
  pid: number;
  stdout: Output;
  stderr: Output;
  signal(signal: NodeJS.Signals, tree: boolean): void;
}

export interface PreparedCommand extends ShellCommand {
  belongs: Belongs;
  /** `$?` after it, or null when bash ended. */
  done: Promise<number | null>;
  /** Waits for its output, given that it is done. */
  close(bashExited: boolean): Promise<void>;
}

/** Gives a command to bash, with pipes of its own: what it leaves in the background writes to no other command's. */
export async function prepare(pipes: Pipes, bash: Bash, request: ShellRequest): Promise<PreparedCommand> {
  const id = newId();
  const made: Pipe[] = [];
  try {
    await writeFile(request.file, request.command, { mode: 0o600 });
    made.push(await pipes.output());
    made.push(await pipes.output());
  } catch (error) {
    for (const pipe of made) {
      closePipe(pipe);
      pipes.release(pipe, false);
    }
    rmSync(request.file, { force: true });
    throw error;
  }
  const [out, err] = made as [Pipe, Pipe];
  const farewell = new Farewell(request.stderr);
  const stdout = new Output(out.near, request.stdout);
  const stderr = new Output(err.near, (bytes) => farewell.write(bytes));
  const belongs = commandTree(id, bash, nowTicks());
  return {
    id,
    pid: bash.pid,
    stdout,
    stderr,
    belongs,
    done: bash.run(id, sourceLines(id, MARK, request.file, out.path, err.path)),
    signal(name, tree) {
      const members = tree ? membersOf(belongs) : [];
      if (name === 'SIGINT' || members.length === 0) bash.kill(name);
      signalAll(members, name);
    },
    async close(bashExited) {
      for (const { far } of made) closeSync(far);
      rmSync(request.file, { force: true });
      await Promise.all([stdout.settle(), stderr.settle()]);
      pipes.release(out, stdout.drained);
      pipes.release(err, stderr.drained);
      await farewell.end(bashExited);
    },
  };
}
