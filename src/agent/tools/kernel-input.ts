import { z } from 'zod';
import { runInKernel } from '../run-in-kernel.ts';
import type { ToolCallContext, ToolResult } from '../tool.ts';

const DEFAULT_TIMEOUT_S = 120;
const MAX_TIMEOUT_S = 3_600;

/** What the tools that run code in kernels take. */
export const KernelInput = z.strictObject({
  code: z.string().min(1).max(200_000),
  kernel: z
    .string()
    .regex(/^[\w.-]{1,64}$/)
    .optional(),
  timeout_s: z.int().min(1).max(MAX_TIMEOUT_S).optional(),
  restart: z.boolean().optional(),
});

/** What the model is told of all of them: once, since it is sent with every request. */
export const KERNEL_RULES = `- Code is interrupted after timeout_s (default ${DEFAULT_TIMEOUT_S}, at most ${MAX_TIMEOUT_S}); you see what it printed, and the state is kept if the code yields within 3 s.
- Of output over 30,000 characters you see the head and the tail; the whole is in a file that is named.
- What threads and timers print after a call has ended is shown with the next one.
- kernel names another kernel of the same language beside the first, each with a state of its own. restart: true begins with a new one.
- Errors: KERNEL_TIMEOUT (see above), KERNEL_INPUT_REFUSED (nobody can type), KERNEL_OUT_OF_MEMORY and KERNEL_DIED (the process ended: variables and imports are gone, files are not; work on less at once). An exception is shown with its traceback; what ran before it has taken effect.`;

/** Runs code in the kernel that the input names. */
export async function runCode(
  spec: string,
  { code, kernel, timeout_s = DEFAULT_TIMEOUT_S, restart }: z.infer<typeof KernelInput>,
  call: ToolCallContext,
): Promise<ToolResult> {
  const { sandbox, signal } = call;
  const name = kernel ?? spec;
  if (restart) {
    const { kernels } = await sandbox.kernels.list({ signal });
    if (kernels.some((one) => one.name === name)) await sandbox.kernels.restart(name, { signal });
  }
  return runInKernel(call, { code, spec, name, timeoutMs: timeout_s * 1_000 });
}

/** The first line of code, for people. */
export const firstLine = (code: string): string => code.trim().split('\n', 1)[0] ?? '';
