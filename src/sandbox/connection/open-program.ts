import type { CallOptions } from '../call-options.ts';
import type { Desktop, Opened, OpenRequest } from '../desktop.ts';
import { attach } from './attach.ts';
import type { Link } from './link.ts';
import { spawn } from './spawn.ts';

const WINDOW_MS = 10_000;
const KEPT_CHARS = 2_000;

/** Starts a program in the background and waits for a window that was not there before, or for its failure. */
export async function openProgram(
  link: Link,
  act: Desktop['act'],
  { command, cwd, env, timeoutMs = WINDOW_MS }: OpenRequest,
  { signal }: CallOptions = {},
): Promise<Opened> {
  const options = signal ? { signal } : {};
  const [before] = await act([{ action: 'windows' }], options);
  const known = (before?.windows ?? []).map(({ window }) => window);
  const request = { shell: command, ...(cwd !== undefined && { cwd }), ...(env && { env }) };
  const process = await spawn(link, request, options);

  const over = new AbortController();
  const either = { signal: signal ? AbortSignal.any([signal, over.signal]) : over.signal };
  const window = act([{ action: 'wait_window', known, timeout_ms: Math.ceil(timeoutMs) }], either).then(
    ([waited]): Opened => ({ process, windows: waited?.windows ?? [], ended: null }),
  );
  try {
    return await Promise.race([window, failure(link, process, either)]);
  } finally {
    over.abort();
    await window.catch(() => {});
  }
}

/** Resolves when the program fails; one that ends well may have left its window to another process. */
async function failure(link: Link, process: Opened['process'], options: CallOptions): Promise<Opened> {
  let output = '';
  const { info } = await attach(
    link,
    { id: process.id, follow: true },
    {
      ...options,
      onOutput: (_stream, bytes) => {
        output = (output + bytes.toString()).slice(-KEPT_CHARS);
      },
    },
  );
  if (info.ended?.exit_code === 0) return new Promise(() => {});
  return { process, windows: [], ended: { exitCode: info.ended?.exit_code ?? null, output } };
}
