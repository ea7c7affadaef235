import { CodedError } from '../../src/protocol/errors.ts';
import { FRAME } from '../../src/protocol/frames.ts';
import type { ProcessStart } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { launch, type Running } from './launch.ts';
import type { Sink } from './output.ts';
import { Ring } from './ring.ts';
import type { Stdin } from './stdin.ts';
import type { Kept, Listed } from './table.ts';
import { membersOf, signalAll } from './tree.ts';

const KEPT_BYTES = 1024 * 1024;
const MAX_COMMAND_CHARS = 500;

/** Starts a process; in the foreground it ends with its call, in the background it outlives it. */
export async function startProcess(args: ProcessStart, call: Call, daemon: Daemon): Promise<void> {
  if ((args.argv === undefined) === (args.shell === undefined)) {
    throw new CodedError('INVALID_ARGUMENT', 'Expected either argv or shell.');
  }
  const argv = args.argv ?? ['/bin/bash', '-c', args.shell ?? ''];
  const kept: Kept | null = args.background
    ? { stdout: new Ring(KEPT_BYTES), stderr: new Ring(KEPT_BYTES), followers: new Set() }
    : null;
  const running = await launch(
    daemon,
    { argv, cwd: args.cwd, env: args.env, stdin: args.stdin ?? false, timeoutMs: args.timeout_ms },
    kept ? keep(kept, kept.stdout) : (bytes) => call.send(FRAME.data, bytes),
    kept ? keep(kept, kept.stderr) : (bytes) => call.send(FRAME.stderr, bytes),
  );
  const listed = list(running, args, kept);
  daemon.processes.add(listed);
  const ended = running.ended.then((ended) => {
    daemon.processes.end(listed, ended);
    return ended;
  });
  if (kept) {
    // Its stdin stays open for process/input.
    await call.json({ event: 'started', id: running.id, pid: running.pid });
    return;
  }
  const cancel = (): void => void running.end();
  call.signal.addEventListener('abort', cancel, { once: true });
  if (call.signal.aborted) cancel();
  if (running.stdin) feed(call, running.stdin).catch(() => running.stdin?.close());
  const result = await ended;
  call.signal.removeEventListener('abort', cancel);
  await call.json(result);
}

/** Gives the caller's bytes to a process; after its empty frame the process reads an end of file. */
export async function feed(call: Call, stdin: Stdin, close = true): Promise<void> {
  for await (const bytes of call.input()) await stdin.write(bytes);
  if (close) stdin.close();
}

function keep(kept: Kept, ring: Ring): Sink {
  return (bytes) => {
    ring.write(bytes);
    for (const follower of kept.followers) follower();
    return undefined;
  };
}

function list(running: Running, args: ProcessStart, kept: Kept | null): Listed {
  return {
    id: running.id,
    pid: running.pid,
    command: (args.shell ?? args.argv?.join(' ') ?? '').slice(0, MAX_COMMAND_CHARS),
    began: performance.now(),
    ended: null,
    kept,
    stdin: running.stdin,
    bytes: () => ({ stdout: running.stdout.bytes, stderr: running.stderr.bytes }),
    signal: (signal, tree) => signalAll(tree ? membersOf(running.belongs) : [running.pid], signal),
  };
}
