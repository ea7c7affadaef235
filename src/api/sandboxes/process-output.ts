import type { z } from 'zod';
import type { ProcessLine, ProcessOutput, ProcessState } from '../../protocol/sandbox-api.ts';
import type { ProcessInfo } from '../../protocol/sandboxd.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { decodeOutput, type OutputStream } from './decode-output.ts';
import { pacedLines } from './paced-lines.ts';

const MAX_STREAM_BYTES = 1024 * 1024;

type Wanted = Parameters<Sandbox['attach']>[0];

/** A process as the API tells it. */
export function stateOfProcess({ id, ended, ...info }: ProcessInfo): z.infer<typeof ProcessState> {
  if (ended === null) return { process_id: id, ...info, ended };
  const { event: _event, ...how } = ended;
  return { process_id: id, ...info, ended: how };
}

/** What a background process has printed, of each stream so much; the rest is there for the next call. */
export async function readOutput(
  sandbox: Sandbox,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<z.infer<typeof ProcessOutput>> {
  const kept: Record<OutputStream, Buffer[]> = { stdout: [], stderr: [] };
  const size = { stdout: 0, stderr: 0 };
  const came = { stdout: 0, stderr: 0 };
  const { info, stdoutAt, stderrAt } = await sandbox.attach(wanted, {
    signal,
    onOutput(stream, bytes) {
      const piece = bytes.subarray(0, MAX_STREAM_BYTES - size[stream]);
      if (piece.length > 0) kept[stream].push(Buffer.from(piece));
      size[stream] += piece.length;
      came[stream] += bytes.length;
    },
  });
  const from = { stdout: stdoutAt - came.stdout, stderr: stderrAt - came.stderr };
  return {
    process: stateOfProcess(info),
    stdout: Buffer.concat(kept.stdout).toString(),
    stderr: Buffer.concat(kept.stderr).toString(),
    stdout_from: from.stdout,
    stderr_from: from.stderr,
    stdout_next: from.stdout + size.stdout,
    stderr_next: from.stderr + size.stderr,
  };
}

/** The same as lines; with `follow`, until it ends. Last how it is, and where to go on. */
export const followOutput = (sandbox: Sandbox, wanted: Wanted, signal: AbortSignal) =>
  pacedLines<z.infer<typeof ProcessLine>>(signal, async (add, stopped) => {
    const decoded = decodeOutput((stream, text) => add({ type: stream, text }));
    const { info, stdoutAt, stderrAt } = await sandbox.attach(wanted, {
      signal: stopped,
      onOutput: decoded.take,
    });
    await decoded.end();
    const process = stateOfProcess(info);
    return { type: 'process', process, stdout_next: stdoutAt, stderr_next: stderrAt };
  });
