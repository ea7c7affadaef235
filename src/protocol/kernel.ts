import { z } from 'zod';

/** The calls about code kernels: interpreters that keep their state from run to run. */
export const KERNEL_CALLS = {
  run: '/v1/kernel/run',
  interrupt: '/v1/kernel/interrupt',
  restart: '/v1/kernel/restart',
  stop: '/v1/kernel/stop',
  list: '/v1/kernel/list',
} as const;

/** A kernel's kind: `python`, `typescript` (which runs JavaScript too), or the name of a Jupyter kernelspec. */
const Spec = z
  .string()
  .max(64)
  .regex(/^[\w.-]+$/);
const Name = z
  .string()
  .max(64)
  .regex(/^[\w.-]+$/);

/** Most output that one run hands out, streams and rich output each; the rest is dropped and counted. */
export const KERNEL_STREAM_BYTES = 8 * 1024 * 1024;
export const KERNEL_DISPLAY_BYTES = 12 * 1024 * 1024;
/** Most that is kept of what a kernel prints while it runs nothing. */
export const KERNEL_EARLIER_BYTES = 8 * 1024;

/** Runs code: `started`, stdout as data frames, stderr frames, `display` for rich output, `ended`. */
export const KernelRun = z.object({
  spec: Spec.default('python'),
  /** Which kernel, made at first use; several of a kind stand side by side. Default: the one named as its kind. */
  name: Name.optional(),
  code: z.string(),
  /** Then the code is interrupted, and its kernel started anew if it does not yield. */
  timeout_ms: z.int().positive().optional(),
  /** Added to the kernel's environment when it is started (or started anew). */
  env: z.record(z.string(), z.string()).optional(),
});
export type KernelRun = z.infer<typeof KernelRun>;

export const KernelStarted = z.object({
  event: z.literal('started'),
  name: z.string(),
  pid: z.int(),
  /** Whether it was started for this run. */
  fresh: z.boolean(),
});

/** Rich output: the same thing in one or more media types; text as it is, everything else in base64. */
export const KernelDisplay = z.object({
  event: z.literal('display'),
  /** The value of the code, something that it showed, or another look for something shown before. */
  kind: z.enum(['result', 'display', 'update']),
  data: z.record(z.string(), z.string()),
});
export type KernelDisplay = z.infer<typeof KernelDisplay>;

/** What can keep code from running to its end; each is described in the registry of errors. */
export const KernelFault = z.object({
  code: z.enum([
    'KERNEL_EXCEPTION',
    'KERNEL_INPUT_REFUSED',
    'KERNEL_TIMEOUT',
    'KERNEL_INTERRUPTED',
    'KERNEL_OUT_OF_MEMORY',
    'KERNEL_DIED',
  ]),
  message: z.string(),
});
export type KernelFault = z.infer<typeof KernelFault>;

export const KernelException = z.object({ name: z.string(), message: z.string(), traceback: z.string() });
export type KernelException = z.infer<typeof KernelException>;

export const KernelEnded = z.object({
  event: z.literal('ended'),
  /** Null when the code ran to its end. */
  fault: KernelFault.nullable(),
  /** What the code threw, if that is how it ended. */
  exception: KernelException.nullable(),
  /** Whether state was lost: the kernel had ended before this run, or ended with it. The next run has a new one. */
  restarted: z.boolean(),
  /** How the kernel's process ended, if it did; null where it goes on, or the other one tells. */
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  /** Output beyond the limits. */
  dropped_bytes: z.int(),
  /** What threads and timers printed between the run before and this one: the last 8 KiB of it. */
  earlier: z.string().max(KERNEL_EARLIER_BYTES).default(''),
  duration_ms: z.number(),
});
export type KernelEnded = z.infer<typeof KernelEnded>;

export const KernelMessage = z.discriminatedUnion('event', [KernelStarted, KernelDisplay, KernelEnded]);

export const KernelNamed = z.object({ name: Name });

export const KernelInfo = z.object({
  name: z.string(),
  spec: z.string(),
  /** Null while it has no process: it ended, and the next run starts it. */
  pid: z.int().nullable(),
  busy: z.boolean(),
});
export type KernelInfo = z.infer<typeof KernelInfo>;

export const KernelSpecInfo = z.object({ spec: z.string(), language: z.string(), title: z.string() });
export const KernelList = z.object({ kernels: z.array(KernelInfo), specs: z.array(KernelSpecInfo) });
export type KernelList = z.infer<typeof KernelList>;
