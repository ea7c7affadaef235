import { CodedError } from '../../protocol/errors.ts';
import type { KernelInfo, KernelList } from '../../protocol/kernel.ts';
import type { KernelLine, KernelOutput, KernelResult, RunCodeRequest } from '../../protocol/sandbox-api.ts';
import type { KernelOptions, KernelRequest } from '../../sandbox/kernels.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { decodeOutput } from './decode-output.ts';
import { pacedLines } from './paced-lines.ts';

const DEFAULT_TIMEOUT_S = 600;
/** Of what one answer holds: sandboxd gives no more, and is not believed. */
const MAX_TEXT_CHARS = 8 * 1024 * 1024;
const MAX_RICH_CHARS = 16 * 1024 * 1024;
const MAX_OUTPUTS = 10_000;

/** The kind of kernel that a language's code runs in: JavaScript is what TypeScript becomes. */
export const specOf = (language: string): string => (language === 'javascript' ? 'typescript' : language);

/** A run of code in the kernel of that name; where no language is named, the kernel's own, or else its name. */
export async function codeRun(
  sandbox: Sandbox,
  name: string,
  { code, language, timeout_s = DEFAULT_TIMEOUT_S }: RunCodeRequest,
  options: { env: Record<string, string>; signal: AbortSignal },
): Promise<KernelRequest> {
  const { env, signal } = options;
  const spec = language ?? findKernel(await sandbox.kernels.list({ signal }), name)?.spec ?? name;
  return { code, name, spec: specOf(spec), timeoutMs: timeout_s * 1_000, env };
}

export const findKernel = ({ kernels }: KernelList, name: string): KernelInfo | undefined =>
  kernels.find((kernel) => kernel.name === name);

/** Starts a kernel where there is none of that name, by running nothing in it. @throws CodedError KERNEL_START_FAILED */
export async function startKernel(
  sandbox: Sandbox,
  request: { name: string; spec: string; env: Record<string, string> },
  signal: AbortSignal,
): Promise<{ kernel: KernelInfo; made: boolean }> {
  const known = findKernel(await sandbox.kernels.list({ signal }), request.name);
  // One that runs is left alone: a run would take what it has printed meanwhile.
  if (known?.pid && known.spec === request.spec) return { kernel: known, made: false };
  const { fault } = await sandbox.kernels.run({ ...request, code: '' }, { signal });
  const kernel = findKernel(await sandbox.kernels.list({ signal }), request.name);
  if (kernel && !fault) return { kernel, made: true };
  throw new CodedError('KERNEL_START_FAILED', fault?.message ?? `the kernel ${request.name} was stopped`);
}

/** Runs code to its end and gives all that it showed, as far as that is kept. Throws as the sandbox does. */
export async function runCode(
  sandbox: Sandbox,
  request: KernelRequest,
  signal: AbortSignal,
): Promise<KernelResult> {
  const outputs: KernelOutput[] = [];
  let text = MAX_TEXT_CHARS;
  let rich = MAX_RICH_CHARS;
  let truncated = false;
  const add = (output: KernelOutput): void => {
    if (outputs.length < MAX_OUTPUTS) outputs.push(output);
    else truncated = true;
  };
  const { options, end } = tellOutput(async (output) => {
    if (output.type === 'display') {
      const size = Object.values(output.data).reduce((sum, value) => sum + value.length, 0);
      truncated ||= size > rich;
      if (size > rich) return;
      rich -= size;
      add(output);
      return;
    }
    const last = outputs.at(-1);
    const piece = output.text.slice(0, text);
    truncated ||= piece.length < output.text.length;
    text -= piece.length;
    if (last?.type === output.type) last.text += piece;
    else if (piece !== '') add({ ...output, text: piece });
  });
  const { event: _event, ...ended } = await sandbox.kernels.run(request, { ...options, signal });
  await end();
  return { outputs, ...ended, truncated: truncated || ended.dropped_bytes > 0 };
}

/** Runs code and gives what it shows as lines, as it comes; last how it ended. To stop taking them is to interrupt it. */
export const streamCode = (sandbox: Sandbox, request: KernelRequest, signal: AbortSignal) =>
  pacedLines<KernelLine>(signal, async (add, stopped) => {
    const { options, end } = tellOutput(add);
    const { event: _event, ...ended } = await sandbox.kernels.run(request, { ...options, signal: stopped });
    await end();
    return { type: 'ended', ...ended };
  });

/** What a kernel shows, told as outputs in their order. */
function tellOutput(tell: (output: KernelOutput) => Promise<void>): {
  options: KernelOptions;
  end: () => Promise<void>;
} {
  const decoded = decodeOutput((stream, text) => tell({ type: stream, text }));
  return {
    options: {
      onOutput: decoded.take,
      onDisplay: ({ event: _event, ...display }) => tell({ type: 'display', ...display }),
    },
    end: decoded.end,
  };
}
