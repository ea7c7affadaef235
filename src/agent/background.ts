import { AGENT_FOLDER, WORKSPACE } from '../protocol/job.ts';
import type { ProcessInfo } from '../protocol/sandboxd.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { ToolCallContext } from './tool.ts';

/**
 * A shell command in the background. Its id is the name of the call that started it; its output goes to a file of that
 * name, which outlives it, a restart of the server and one of sandboxd.
 */
export interface Background {
  id: string;
  /** Relative to the workspace. */
  file: string;
  /** Null when it is no longer remembered: it ended long ago, or sandboxd was started anew. */
  process: ProcessInfo | null;
}

const FOLDER = `${AGENT_FOLDER}/processes`;
const fileOf = (id: string): string => `${FOLDER}/${id}.log`;
/** The line before the command, by which it is found again. */
const redirection = (id: string): string => `exec >>${WORKSPACE}/${fileOf(id)} 2>&1`;

/** Starts a command where the shell session stands. */
export async function startBackground(
  command: string,
  call: ToolCallContext,
): Promise<Background & { pid: number }> {
  const { sandbox, signal, env, name: id } = call;
  await sandbox.write(fileOf(id), '', { signal });
  const { cwd } = await sandbox.shell({ command: ':', env }, { signal });
  const { pid } = await sandbox.spawn({ shell: `${redirection(id)}\n${command}`, cwd, env }, { signal });
  return { id, pid, file: fileOf(id), process: null };
}

/** @throws CodedError PATH_NOT_FOUND when there never was one of that id */
export async function findBackground(sandbox: Sandbox, id: string, signal: AbortSignal): Promise<Background> {
  await sandbox.stat(fileOf(id), { signal });
  const all = await sandbox.processes({ signal });
  const process = all.findLast(({ command }) => command.startsWith(`${redirection(id)}\n`)) ?? null;
  return { id, file: fileOf(id), process };
}

/** Those that are remembered, as a list for the model. */
export async function listBackground(sandbox: Sandbox, signal: AbortSignal): Promise<string> {
  const start = redirection('').slice(0, -'.log 2>&1'.length);
  const lines = (await sandbox.processes({ signal })).flatMap((process) => {
    if (!process.background || !process.command.startsWith(start)) return [];
    const [first = '', ...command] = process.command.split('\n');
    const id = first.slice(start.length).split('.log', 1)[0];
    return [`${id}: ${howItIs(process)}: ${command.join(' ').slice(0, 200)}`];
  });
  return lines.join('\n') || '[no command was started in the background]';
}

/** Whether it runs, or how it ended. */
export function howItIs(process: ProcessInfo | null): string {
  if (!process) return 'no longer running';
  const { ended } = process;
  if (!ended) return `running for ${Math.round(process.started_ms_ago / 1_000)} s`;
  const memory = ended.oom_killed ? ", the sandbox's memory limit killed something" : '';
  return ended.signal
    ? `ended by ${ended.signal}${memory}`
    : `ended with exit code ${ended.exit_code}${memory}`;
}
