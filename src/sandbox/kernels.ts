import type { KernelDisplay, KernelEnded, KernelList } from '../protocol/kernel.ts';
import type { CallOptions } from './call-options.ts';

export interface KernelRequest {
  code: string;
  /** `python` (the default), `typescript`, or the name of a Jupyter kernelspec in the sandbox. */
  spec?: string;
  /** Which kernel of that kind, made at first use. Default: the one named as its kind. */
  name?: string;
  /** Then the code is interrupted; a kernel that does not yield is ended. */
  timeoutMs?: number;
  /** For the kernel's process, from its next start on. */
  env?: Record<string, string>;
}

export interface KernelOptions extends CallOptions {
  /** Called with each piece of output, in order within a stream; a promise holds the rest back. */
  onOutput?: (stream: 'stdout' | 'stderr', bytes: Buffer) => void | Promise<void>;
  /** Called with rich output, in its order with the output; a promise holds the rest back. */
  onDisplay?: (display: KernelDisplay) => void | Promise<void>;
}

/** The code kernels of a sandbox: interpreters whose state lasts. */
export interface Kernels {
  /**
   * Runs code after what was asked of the same kernel before. Resolves also when the code fails: see `fault`.
   * @throws CodedError KERNEL_UNKNOWN, KERNEL_START_FAILED, INVALID_ARGUMENT, TOO_MANY_PROCESSES.
   */
  run(request: KernelRequest, options?: KernelOptions): Promise<KernelEnded>;
  /** Stops what runs, keeping the state where it can be kept. */
  interrupt(name: string, options?: CallOptions): Promise<void>;
  /** Ends the process; the next run starts another. */
  restart(name: string, options?: CallOptions): Promise<void>;
  /** Ends a kernel and forgets it. */
  stop(name: string, options?: CallOptions): Promise<void>;
  list(options?: CallOptions): Promise<KernelList>;
}
