import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import { newId } from '../../src/protocol/ids.ts';
import type { ProcessEnded } from '../../src/protocol/sandboxd.ts';
import type { Environment } from './environment.ts';
import { memoryKills } from './memory-limit.ts';
import { Output, type Sink } from './output.ts';
import { closePipe, type Pipe, type Pipes } from './pipes.ts';
import { nowTicks } from './proc.ts';
import { type Child, type SpawnRequest, spawnChild } from './spawn.ts';
import { Stdin } from './stdin.ts';
import { type Belongs, endTree, treeOf } from './tree.ts';

/** What starting a process takes from its surroundings. */
export interface Ground {
  pipes: Pipes;
  environment: Environment;
  workspace: string;
}

export interface LaunchRequest {
  argv: string[];
  cwd?: string | undefined;
  env?: Record<string, string> | undefined;
  /** Whether it gets a pipe as its stdin, not /dev/null. */
  stdin: boolean;
  timeoutMs?: number | undefined;
}

/** A process that has been started. */
export interface Running {
  id: string;
  pid: number;
  stdin: Stdin | null;
  belongs: Belongs;
  stdout: Output;
  stderr: Output;
  /** Resolves when it has ended and all that it wrote has reached the sinks. */
  ended: Promise<ProcessEnded>;
  /** Ends it with all that it started. */
  end(): Promise<void>;
}

/** Starts a process with its output going to sinks. Throws as {@link spawnChild} does. */
export async function launch(
  ground: Ground,
  request: LaunchRequest,
  stdout: Sink,
  stderr: Sink,
): Promise<Running> {
  const id = newId();
  const began = performance.now();
  const startedTicks = nowTicks();
  const killsBefore = memoryKills();
  const { child, pipes } = await withPipes(ground.pipes, request.stdin, (stdio) =>
    spawnChild({
      argv: request.argv,
      cwd: resolve(ground.workspace, request.cwd ?? ''),
      env: ground.environment.of(id, request.env),
      stdio,
    }),
  );
  const belongs = treeOf(id, child.pid, startedTicks);
  const outputs = [new Output(pipes.stdout.near, stdout), new Output(pipes.stderr.near, stderr)] as const;
  const stdin = pipes.stdin && new Stdin(pipes.stdin.near);
  let timedOut = false;
  let ending: Promise<void> | null = null;
  function end(): Promise<void> {
    ending ??= endTree(belongs);
    return ending;
  }
  const timer = request.timeoutMs
    ? setTimeout(() => {
        timedOut = true;
        void end();
      }, request.timeoutMs)
    : undefined;

  async function finish(): Promise<ProcessEnded> {
    const exit = await child.exit;
    clearTimeout(timer);
    stdin?.close();
    await ending;
    await Promise.all(outputs.map((output) => output.settle()));
    ground.pipes.release(pipes.stdout, outputs[0].drained);
    ground.pipes.release(pipes.stderr, outputs[1].drained);
    return {
      event: 'ended',
      exit_code: exit.code,
      signal: exit.signal,
      timed_out: timedOut,
      oom_killed: memoryKills() > killsBefore,
      duration_ms: performance.now() - began,
    };
  }
  const [first, second] = outputs;
  return { id, pid: child.pid, stdin, belongs, stdout: first, stderr: second, ended: finish(), end };
}

interface ProcessPipes {
  stdin: Pipe | null;
  stdout: Pipe;
  stderr: Pipe;
}

/** Runs `start` with the far ends of new pipes; the near ones are the caller's, unless it fails. */
async function withPipes(
  pipes: Pipes,
  stdin: boolean,
  start: (stdio: SpawnRequest['stdio']) => Promise<Child>,
): Promise<{ child: Child; pipes: ProcessPipes }> {
  const made: Pipe[] = [];
  const keep = (pipe: Pipe): Pipe => {
    made.push(pipe);
    return pipe;
  };
  try {
    const stdout = keep(await pipes.output());
    const stderr = keep(await pipes.output());
    const input = stdin ? keep(await pipes.input()) : null;
    const child = await start([input?.far ?? 'ignore', stdout.far, stderr.far]);
    for (const { far } of made) closeSync(far);
    return { child, pipes: { stdin: input, stdout, stderr } };
  } catch (error) {
    for (const pipe of made) {
      closePipe(pipe);
      pipes.release(pipe, false);
    }
    throw error;
  }
}
