import { posix } from 'node:path';
import type { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import { WORKSPACE } from '../../protocol/job.ts';
import type { WatchLine } from '../../protocol/sandbox-api.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { pacedLines } from '../sandboxes/paced-lines.ts';
import { inWorkspace } from './live-files.ts';

type Line = z.infer<typeof WatchLine>;

/** What changes below a folder of a live workspace, one change each; a sign of life where nothing does. */
export const watchLines = (
  sandbox: Sandbox,
  { path, recursive, exclude }: { path: string; recursive: boolean; exclude: readonly string[] },
  { heartbeatMs, signal }: { heartbeatMs: number; signal: AbortSignal },
) =>
  pacedLines<Line | { type: 'alive' }>(signal, async (add, stopped) => {
    let waiting = false;
    const timer = setInterval(() => {
      if (waiting) return;
      waiting = true;
      void add({ type: 'alive' }).then(() => {
        waiting = false;
      });
    }, heartbeatMs);
    try {
      const told = sandbox.watch(inWorkspace(path), { signal: stopped, recursive, exclude });
      for await (const message of told) {
        if (message.event !== 'changes') {
          await add({ type: message.event });
          continue;
        }
        for (const { kind, path: at, type } of message.changes) {
          await add({ type: 'change', kind, path: posix.relative(WORKSPACE, at), file_type: type });
        }
      }
    } finally {
      clearInterval(timer);
    }
    throw new CodedError('CONNECTION_LOST', 'the sandbox has stopped telling of changes');
  });

/** A line as a Server-Sent Event; a sign of life is a comment. */
export async function* asEvents(
  lines: AsyncIterable<Line | { type: 'alive' } | { type: 'failed' }>,
): AsyncGenerator<string> {
  for await (const { type, ...data } of lines) {
    yield type === 'alive' ? ':\n\n' : `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}
