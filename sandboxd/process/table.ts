import { CodedError } from '../../src/protocol/errors.ts';
import type { ProcessEnded, ProcessInfo } from '../../src/protocol/sandboxd.ts';
import type { Ring } from './ring.ts';
import type { Stdin } from './stdin.ts';

/** Finished background processes are remembered up to this many and this much output, the oldest going first. */
const MAX_FINISHED = 100;
const MAX_FINISHED_BYTES = 16 * 1024 * 1024;

/** What a background process has printed: the newest of each stream, and who waits for more. */
export interface Kept {
  stdout: Ring;
  stderr: Ring;
  /** Called when there is more, or it has ended. */
  followers: Set<() => void>;
}

/** A process, or a command in a shell session, that can be listed and signalled. */
export interface Listed {
  id: string;
  pid: number;
  command: string;
  /** `performance.now()` of its start. */
  began: number;
  ended: ProcessEnded | null;
  /** Null for one in the foreground: its caller has its output. */
  kept: Kept | null;
  stdin: Stdin | null;
  bytes(): { stdout: number; stderr: number };
  /** Signals it, or all that belongs to it. */
  signal(signal: NodeJS.Signals, tree: boolean): void;
}

/** The processes that this sandboxd has started: all that run, and the background ones that have ended lately. */
export class ProcessTable {
  readonly #listed = new Map<string, Listed>();

  add(listed: Listed): void {
    this.#listed.set(listed.id, listed);
  }

  /** It has ended. */
  end(listed: Listed, ended: ProcessEnded): void {
    listed.ended = ended;
    if (!listed.kept) {
      this.#listed.delete(listed.id);
      return;
    }
    // Into the order of ending.
    this.#listed.delete(listed.id);
    this.#listed.set(listed.id, listed);
    for (const follower of listed.kept.followers) follower();
    this.#forgetOldest();
  }

  forget(listed: Listed): void {
    this.#listed.delete(listed.id);
  }

  /** @throws CodedError PROCESS_NOT_FOUND */
  get(id: string): Listed {
    const listed = this.#listed.get(id);
    if (listed) return listed;
    throw new CodedError('PROCESS_NOT_FOUND', `There is no process ${JSON.stringify(id.slice(0, 64))}.`);
  }

  all(): Listed[] {
    return [...this.#listed.values()];
  }

  #forgetOldest(): void {
    const finished = this.all().filter(({ ended }) => ended !== null);
    const size = ({ kept }: Listed): number => (kept ? kept.stdout.size + kept.stderr.size : 0);
    let bytes = finished.reduce((sum, listed) => sum + size(listed), 0);
    let count = finished.length;
    for (const listed of finished) {
      if (count <= MAX_FINISHED && bytes <= MAX_FINISHED_BYTES) return;
      this.#listed.delete(listed.id);
      bytes -= size(listed);
      count -= 1;
    }
  }
}

export function describe(listed: Listed): ProcessInfo {
  const { stdout, stderr } = listed.bytes();
  return {
    id: listed.id,
    pid: listed.pid,
    command: listed.command,
    background: listed.kept !== null,
    started_ms_ago: performance.now() - listed.began,
    ended: listed.ended,
    stdout_bytes: stdout,
    stderr_bytes: stderr,
  };
}
