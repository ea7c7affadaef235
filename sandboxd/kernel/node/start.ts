import { existsSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { newId } from '../../../src/protocol/ids.ts';
import { KernelException } from '../../../src/protocol/kernel.ts';
import type { Ground } from '../../process/launch.ts';
import { membersOf, signalAll } from '../../process/tree.ts';
import type { Kernel, KernelSink } from '../kernel.ts';
import { startProgram } from '../program.ts';
import { readLines } from './lines.ts';

const POLL_MS = 5;
/** Loops that are broken in a timer leave Node.js's own record of asynchronous calls behind, which it checks. */
const FLAGS = [
  '--no-force-async-hooks-checks',
  '--disable-warning=ExperimentalWarning',
  '--experimental-import-meta-resolve',
];

const Answer = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('display'),
    kind: z.enum(['result', 'display']),
    data: z.record(z.string(), z.string()),
  }),
  z.object({ event: z.literal('done'), run: z.int(), exception: KernelException.nullable() }),
]);

/** Starts a kernel for TypeScript and JavaScript. @throws CodedError KERNEL_START_FAILED */
export async function startNode(
  ground: Ground,
  {
    program: file,
    folder,
    env,
    late,
  }: { program: string; folder: string; env: Record<string, string>; late: KernelSink },
): Promise<Kernel> {
  const path = join(folder, newId());
  let sink = late;
  const { program, client: socket } = await startProgram(
    ground,
    {
      argv: ['node', ...FLAGS, file, path],
      cwd: ground.workspace,
      env,
      onOutput(stream, bytes) {
        sink.stream(stream, bytes);
        return undefined;
      },
    },
    (signal) => connectWhenThere(path, signal),
  ).finally(() => rmSync(path, { force: true }));
  const { running } = program;
  let run = 0;
  let done: ((exception: KernelException | null) => void) | null = null;

  async function take(answer: z.infer<typeof Answer>): Promise<void> {
    if (answer.event === 'display') {
      // After what was printed before it.
      await Promise.all([running.stdout.drain(), running.stderr.drain()]);
      sink.display(answer.kind, answer.data);
    } else if (answer.run === run) {
      await Promise.all([running.stdout.drain(), running.stderr.drain()]);
      sink = late;
      done?.(answer.exception);
    }
  }
  let taking = Promise.resolve();
  readLines(socket, (line) => {
    const answer = Answer.safeParse(line).data;
    if (answer) taking = taking.then(() => take(answer));
  });
  void program.exit.then(() => socket.destroy());
  const tell = (message: object): boolean => socket.write(`${JSON.stringify(message)}\n`);
  return {
    pid: running.pid,
    exit: program.exit,
    lastWords: program.lastWords,
    execute(code, to) {
      run += 1;
      sink = to;
      return new Promise((resolve) => {
        done = resolve;
        tell({ run, code });
      });
    },
    interrupt() {
      // A program that it waits for holds it up as well.
      signalAll(
        membersOf(running.belongs).filter((pid) => pid !== running.pid),
        'SIGINT',
      );
      tell({ interrupt: true });
    },
    endStarted: program.endStarted,
    end: program.end,
  };
}

async function connectWhenThere(path: string, signal: AbortSignal): Promise<Socket> {
  for (;;) {
    while (!existsSync(path)) await delay(POLL_MS, undefined, { signal });
    const socket = connect(path);
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (connected) return socket.on('error', () => {});
    await delay(POLL_MS, undefined, { signal });
  }
}
