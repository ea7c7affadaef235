import { WORKSPACE } from '../protocol/job.ts';
import type { KernelDisplay, KernelEnded } from '../protocol/kernel.ts';
import type { RunbookBlock } from '../protocol/runbook.ts';
import type { ProcessEnded } from '../protocol/sandboxd.ts';
import type { OutputOptions, Sandbox } from '../sandbox/sandbox.ts';
import { inspectImage } from './image.ts';
import { readDisplay } from './kernel-output.ts';

/** Where what a block shows and no log can hold is kept. */
const FOLDER = 'output';

/** The kernels of a runbook and where each was last sent. */
export type KernelPlaces = Map<string, string>;

interface KernelBlock {
  sandbox: Sandbox;
  block: RunbookBlock & { language: 'python' | 'typescript' | 'javascript' };
  env: Record<string, string>;
  /** Where the shell stands: the block runs there too. */
  cwd: string;
  places: KernelPlaces;
}

/**
 * Runs a block in the lasting kernel of its language, like a cell of a notebook: the value of its last line is printed,
 * plots and pages become files. How it ended is told as of a program: an exception is exit code 1.
 */
export async function runKernelBlock(
  { sandbox, block, env, cwd, places }: KernelBlock,
  { signal, onOutput }: OutputOptions,
): Promise<ProcessEnded> {
  const spec = block.language === 'python' ? 'python' : 'typescript';
  const kernel = { spec, env };
  const options = signal ? { signal } : {};
  let earlier = '';
  if ((places.get(spec) ?? WORKSPACE) !== cwd) {
    const code = CHANGE_FOLDER[spec](JSON.stringify(cwd));
    ({ earlier } = await sandbox.kernels.run({ ...kernel, code }, options));
    places.set(spec, cwd);
  }
  const print = async (stream: 'stdout' | 'stderr', text: string): Promise<void> => {
    await onOutput?.(stream, Buffer.from(text.endsWith('\n') ? text : `${text}\n`));
  };
  let files = 0;
  async function keep(ending: string, bytes: Buffer | string): Promise<void> {
    files += 1;
    const file = `${FOLDER}/block-${block.number}-${files}.${ending}`;
    await sandbox.write(`${WORKSPACE}/${file}`, bytes, options);
    await print('stdout', `[shown: ${file}]`);
  }
  async function show(display: KernelDisplay): Promise<void> {
    const { text, image, page } = readDisplay(display);
    if (image) await keep(endingOf(image), image);
    else if (page) await keep(page.ending, page.source);
    else if (text !== '') await print('stdout', text);
  }
  const timeout = block.timeoutMs === null ? {} : { timeoutMs: block.timeoutMs };
  const ended = await sandbox.kernels.run(
    { ...kernel, code: block.code, ...timeout },
    { ...options, ...(onOutput && { onOutput }), onDisplay: show },
  );
  earlier += ended.earlier;
  if (earlier !== '') await print('stdout', `[printed in the background before this block:]\n${earlier}`);
  // A new process is where kernels begin.
  if (ended.restarted) places.delete(spec);
  const exit = exitCode(ended);
  if (exit !== 0 && ended.exception?.traceback) await print('stderr', ended.exception.traceback);
  else if (exit !== 0 && ended.fault) await print('stderr', `${ended.fault.code}: ${ended.fault.message}`);
  if (ended.dropped_bytes > 0) await print('stderr', `[${ended.dropped_bytes} bytes of output were dropped]`);
  return {
    event: 'ended',
    exit_code: exit,
    signal: ended.signal,
    timed_out: ended.fault?.code === 'KERNEL_TIMEOUT',
    oom_killed: ended.fault?.code === 'KERNEL_OUT_OF_MEMORY',
    duration_ms: ended.duration_ms,
  };
}

const CHANGE_FOLDER: Record<'python' | 'typescript', (folder: string) => string> = {
  python: (folder) => `__import__("os").chdir(${folder})`,
  typescript: (folder) => `process.chdir(${folder})`,
};

/** `sys.exit(n)` in a kernel is an exception, which ends the code and not the kernel. */
function exitCode({ fault, exception, exit_code, signal }: KernelEnded): number | null {
  if (!fault) return 0;
  if (signal) return null;
  if (exit_code !== null) return exit_code;
  if (exception?.name !== 'SystemExit') return 1;
  return /^(None|0|)$/.test(exception.message) ? 0 : Number.parseInt(exception.message, 10) || 1;
}

function endingOf(image: Buffer): string {
  try {
    return inspectImage(image).media_type === 'image/jpeg' ? 'jpg' : 'png';
  } catch {
    return 'png';
  }
}
