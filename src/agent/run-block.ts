import { CodedError } from '../protocol/errors.ts';
import { WORKSPACE } from '../protocol/job.ts';
import type { RunbookBlock } from '../protocol/runbook.ts';
import type { ProcessEnded } from '../protocol/sandboxd.ts';
import type { OutputOptions } from '../sandbox/sandbox.ts';
import type { AgentContext } from './agent.ts';
import { cleanText } from './clean-text.ts';
import { runGui } from './desktop/run-gui.ts';
import { type KernelPlaces, runKernelBlock } from './run-kernel-block.ts';

/** What goes on from block to block. */
export interface BlockPlace {
  of: number;
  /** Where the shell session stands, which is where other languages' blocks run; null before the first shell block. */
  cwd: string | null;
  kernels: KernelPlaces;
}

/** Kept of stderr to say why a block failed. */
const STDERR_KEPT = 4_000;
const STDERR_LINES = 15;

/**
 * Runs one block, its output going to the job's logs as it comes.
 * @throws CodedError RUNBOOK_BLOCK_FAILED with the block, how it ended and the last lines of its stderr.
 */
export async function runBlock(context: AgentContext, block: RunbookBlock, place: BlockPlace): Promise<void> {
  const { number, language, title } = block;
  await context.append({ type: 'block.started', data: { block: number, of: place.of, language, title } });
  await context.log('stdout', `\n==> [${number}/${place.of}] ${title}\n`);
  const started = performance.now();
  let stderr = '';
  const ended = await run(context, block, place, {
    signal: context.signal,
    async onOutput(stream, bytes) {
      if (stream === 'stderr') stderr = (stderr + bytes.toString()).slice(-STDERR_KEPT);
      await context.log(stream, bytes);
    },
  });
  await context.append({
    type: 'block.ended',
    data: {
      block: number,
      exit_code: ended?.exit_code ?? null,
      signal: ended?.signal ?? null,
      timed_out: ended?.timed_out ?? false,
      duration_ms: Math.round(performance.now() - started),
    },
  });
  if (ended?.exit_code === 0 && !ended.timed_out) return;
  const why = ended ? howItEnded(ended, block) : (cannotRun(block) ?? '');
  const last = lastLines(context.redact(stderr));
  throw new CodedError(
    'RUNBOOK_BLOCK_FAILED',
    `Block ${number} of ${place.of}, "${title}" (${language}, line ${block.line}), ${why}${last && `\n${last}`}`,
  );
}

/** Null when the block is one that cannot run. */
async function run(
  { sandbox, env }: AgentContext,
  block: RunbookBlock,
  place: BlockPlace,
  options: OutputOptions,
): Promise<ProcessEnded | null> {
  const { language, code } = block;
  if (cannotRun(block)) return null;
  const timeout = block.timeoutMs === null ? {} : { timeoutMs: block.timeoutMs };
  if (language === 'bash') {
    // The session of a failed block is of no more use, so that its shell may end with the first command that fails.
    const ended = await sandbox.shell({ command: `set -e; ${code}`, env, ...timeout }, options);
    place.cwd = ended.cwd;
    return ended;
  }
  if (language === 'gui')
    return runGui(code, { sandbox, env }, { ...options, cwd: place.cwd, timeoutMs: block.timeoutMs });
  const { cwd, kernels: places } = place;
  const kernelBlock = { sandbox, block: { ...block, language }, env, cwd: cwd ?? WORKSPACE, places };
  return runKernelBlock(kernelBlock, options);
}

const cannotRun = ({ fault }: RunbookBlock): string | null =>
  fault ? `has a wrong attribute: ${fault}` : null;

function howItEnded({ exit_code, signal, timed_out, oom_killed }: ProcessEnded, block: RunbookBlock): string {
  const memory = oom_killed ? " (the sandbox's memory limit killed something)" : '';
  if (timed_out) return `ran longer than its timeout of ${(block.timeoutMs ?? 0) / 1_000} s and was stopped.`;
  return signal ? `was ended by ${signal}${memory}.` : `ended with exit code ${exit_code}${memory}.`;
}

const lastLines = (text: string): string =>
  cleanText(text).trimEnd().split('\n').slice(-STDERR_LINES).join('\n');
