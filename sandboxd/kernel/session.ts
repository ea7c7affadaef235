import { setTimeout as delay } from 'node:timers/promises';
import type { KernelEnded, KernelException, KernelFault, KernelInfo } from '../../src/protocol/kernel.ts';
import { memoryKills } from '../process/memory-limit.ts';
import { nowTicks } from '../process/proc.ts';
import type { Exit } from '../process/spawn.ts';
import type { Kernel, StartKernel } from './kernel.ts';
import { LateOutput } from './late-output.ts';
import type { RunOutput } from './run-output.ts';

/** How long code that is interrupted may take to yield; its kernel is ended otherwise. */
const PATIENCE_MS = 3_000;
const EVERY_MS = 500;

export interface SessionRequest {
  code: string;
  timeoutMs: number | undefined;
  env: Record<string, string> | undefined;
  output: RunOutput;
  signal: AbortSignal;
}

/** A kernel by its name: it runs code in turn, and has its process started anew when that has ended. */
export class KernelSession {
  readonly name: string;
  readonly spec: string;
  readonly #start: StartKernel;
  /** What is shown between two runs. */
  readonly #late = new LateOutput();
  #kernel: Kernel | null = null;
  #env: Record<string, string> = {};
  /** Whether state was lost since a run was told so. */
  #anew = false;
  #busy = 0;
  #last: Promise<unknown> = Promise.resolve();
  /** Why its process was ended from outside. */
  #ended: KernelFault | null = null;
  /** Stops what runs now, with why. */
  #stopRun: ((fault: KernelFault) => void) | null = null;

  constructor(name: string, spec: string, start: StartKernel) {
    this.name = name;
    this.spec = spec;
    this.#start = start;
  }

  info(): KernelInfo {
    return { name: this.name, spec: this.spec, pid: this.#kernel?.pid ?? null, busy: this.#busy > 0 };
  }

  /**
   * Runs code after what was asked before. What keeps it from its end is in what this resolves with.
   * @throws the signal's reason when it is aborted before its turn; KERNEL_START_FAILED.
   */
  run(request: SessionRequest, onStart: (pid: number, fresh: boolean) => void): Promise<KernelEnded> {
    this.#busy += 1;
    const turn = this.#last
      .then(() => {
        request.signal.throwIfAborted();
        return this.#run(request, onStart);
      })
      .finally(() => {
        this.#busy -= 1;
      });
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Stops what runs; state is kept where the kernel lets itself be interrupted. */
  interrupt(): void {
    this.#stopRun?.({ code: 'KERNEL_INTERRUPTED', message: 'The code was interrupted.' });
  }

  /** Ends the process; the next run starts another. */
  async restart(): Promise<void> {
    const kernel = this.#kernel;
    this.#kernel = null;
    this.#anew = false;
    this.#ended = { code: 'KERNEL_INTERRUPTED', message: 'The kernel was ended from outside.' };
    await kernel?.end();
  }

  async #run(request: SessionRequest, onStart: (pid: number, fresh: boolean) => void): Promise<KernelEnded> {
    const began = performance.now();
    const kills = memoryKills();
    this.#env = { ...this.#env, ...request.env };
    const fresh = this.#kernel === null;
    const earlier = this.#late.take();
    const kernel = this.#kernel ?? (await this.#begin());
    const anew = this.#anew;
    this.#anew = false;
    this.#ended = null;
    onStart(kernel.pid, fresh);
    const { fault: stopped, exception, exit } = await this.#wait(kernel, request);
    request.output.close();
    const ended = exit ? death(exit, kernel.lastWords(), memoryKills() > kills) : null;
    return {
      event: 'ended',
      fault: stopped ?? (exit && this.#ended) ?? ended ?? (exception && thrown(exception)),
      exception: stopped || exit ? null : exception,
      restarted: anew || exit !== null,
      exit_code: exit?.code ?? null,
      signal: exit?.signal ?? null,
      dropped_bytes: request.output.droppedBytes,
      earlier,
      duration_ms: performance.now() - began,
    };
  }

  async #begin(): Promise<Kernel> {
    const kernel = await this.#start(this.#env, this.#late);
    this.#kernel = kernel;
    void kernel.exit.then(() => {
      if (this.#kernel !== kernel) return;
      this.#kernel = null;
      this.#anew = true;
    });
    return kernel;
  }

  async #wait(
    kernel: Kernel,
    { code, timeoutMs, output, signal }: SessionRequest,
  ): Promise<{ fault: KernelFault | null; exception: KernelException | null; exit: Exit | null }> {
    const since = nowTicks();
    let fault: KernelFault | null = null;
    let stopping: Promise<void> | null = null;
    const done = kernel.execute(code, output).then((exception) => ({ exception, exit: null }));
    const over = Promise.race([done, kernel.exit.then((exit) => ({ exception: null, exit }))]);
    const stop = (why: KernelFault): void => {
      fault ??= why;
      stopping ??= stopCode(kernel, over).then(() => kernel.endStarted(since));
    };
    const late = (): void =>
      stop({ code: 'KERNEL_TIMEOUT', message: `The code ran longer than ${(timeoutMs ?? 0) / 1_000} s.` });
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    const abort = (): void =>
      stop({ code: 'KERNEL_INTERRUPTED', message: 'Nobody waits for the code any more.' });
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    this.#stopRun = stop;
    const { exception, exit } = await over;
    this.#stopRun = null;
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    await stopping;
    if (exit) {
      if (this.#kernel === kernel) this.#kernel = null;
      // This run is told of it; the next need not be.
      this.#anew = false;
    }
    return { fault, exception, exit };
  }
}

/** Interrupts code until it yields, and ends its kernel if it does not. */
async function stopCode(kernel: Kernel, over: Promise<unknown>): Promise<void> {
  let yielded = false;
  void over.then(() => {
    yielded = true;
  });
  for (const until = performance.now() + PATIENCE_MS; !yielded && performance.now() < until; ) {
    kernel.interrupt();
    const waited = new AbortController();
    await Promise.race([over, delay(EVERY_MS, undefined, { signal: waited.signal }).catch(() => {})]);
    waited.abort();
  }
  if (!yielded) await kernel.end();
}

/** What V8 says before it ends a process whose heap is full, which is no matter of the sandbox's limit. */
const HEAP_FULL = /JavaScript heap out of memory/;

function death({ code, signal }: Exit, lastWords: string, outOfMemory: boolean): KernelFault {
  if (outOfMemory || HEAP_FULL.test(lastWords))
    return { code: 'KERNEL_OUT_OF_MEMORY', message: "The sandbox's memory limit ended the kernel." };
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  return { code: 'KERNEL_DIED', message: `The kernel ${how}. ${lastWords}`.trim() };
}

/** Jupyter's name for what `input()` throws where nobody can type; ours for TypeScript is the same. */
const NO_INPUT = 'StdinNotImplementedError';

function thrown({ name, message }: KernelException): KernelFault {
  const code = name === NO_INPUT ? 'KERNEL_INPUT_REFUSED' : 'KERNEL_EXCEPTION';
  return { code, message: `${name}: ${message}`.slice(0, 2_000) };
}
