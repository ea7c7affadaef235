import type { KernelDisplay, KernelException } from '../../src/protocol/kernel.ts';
import type { Exit } from '../process/spawn.ts';

/** Where the output of a run goes; nobody waits for it, so whoever takes it sets the limits. */
export interface KernelSink {
  stream(name: 'stdout' | 'stderr', bytes: Buffer): void;
  display(kind: KernelDisplay['kind'], data: Record<string, string>): void;
  /** Whether it takes no more of the streams. */
  readonly full: boolean;
  /** Output that was too large to look at. */
  dropped(bytes: number): void;
}

/** Starts an interpreter. @param late takes what it shows while it runs nothing. */
export type StartKernel = (env: Record<string, string>, late: KernelSink) => Promise<Kernel>;

/** A started interpreter, of whatever kind. */
export interface Kernel {
  readonly pid: number;
  /** Resolves when its process has ended. */
  readonly exit: Promise<Exit>;
  /** The last words of its process, for when it has died. */
  lastWords(): string;
  /** Runs code to its end; one at a time. Resolves with what it threw, or null; never when the process ends first. */
  execute(code: string, sink: KernelSink): Promise<KernelException | null>;
  /** Asks what runs to stop; it may refuse. */
  interrupt(): void;
  /** Ends what it has started since then, in clock ticks since boot, and leaves it to run itself. */
  endStarted(sinceTicks: number): Promise<void>;
  /** Ends it with all that it started. */
  end(): Promise<void>;
}
