import { closeSync, readFileSync, readlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { CodedError } from '../../src/protocol/errors.ts';
import { newId } from '../../src/protocol/ids.ts';
import type { Ground } from '../process/launch.ts';
import { closePipe } from '../process/pipes.ts';
import { type Exit, spawnChild } from '../process/spawn.ts';
import { Stdin } from '../process/stdin.ts';

const START_MS = 15_000;
/** Where bash reports. Nothing that it starts gets this descriptor. */
const REPORT_FD = 250;
/**
 * Interactive, for three things: a command that is interrupted is given up as a whole while the session stays; an
 * unset variable under `set -u` ends a command, not the session; aliases work. Without what is for people only.
 */
const BASH = ['/bin/bash', '--norc', '--noprofile', '--noediting', '-i'];
const QUIET = 'unset HISTFILE; set +o history +o histexpand';

/** One bash that takes commands one after another and reports how each ended. */
export class Bash {
  readonly pid: number;
  /** The mark of its environment: also that of what it forks without starting a program. */
  readonly mark: string;
  readonly exit: Promise<Exit>;
  readonly #stdin: Stdin;
  #report: ((id: string, status: number) => void) | null = null;

  private constructor(pid: number, mark: string, exit: Promise<Exit>, stdin: Stdin, reports: Socket) {
    this.pid = pid;
    this.mark = mark;
    this.exit = exit;
    this.#stdin = stdin;
    reports.on('error', () => {});
    createInterface({ input: reports }).on('line', (line) => {
      const [id = '', status] = line.split(' ');
      this.#report?.(id, Number(status));
    });
    void exit.then(() => {
      stdin.close();
      reports.destroy();
    });
  }

  /** Starts one. Throws as {@link spawnChild} does. */
  static async start(ground: Ground, cwd: string, env: Record<string, string>): Promise<Bash> {
    const mark = newId();
    const input = await ground.pipes.input();
    const report = await ground.pipes.output().catch((error) => {
      closePipe(input);
      throw error;
    });
    try {
      const child = await spawnChild({
        argv: BASH,
        cwd,
        env: ground.environment.of(mark, env),
        stdio: [input.far, 'ignore', 'ignore'],
      });
      closeSync(input.far);
      const reports = new Socket({ fd: report.near, readable: true, writable: false });
      const bash = new Bash(child.pid, mark, child.exit, new Stdin(input.near), reports);
      await bash.#ready(report.path);
      return bash;
    } catch (error) {
      closePipe(input);
      closeSync(report.near);
      throw error;
    } finally {
      closeSync(report.far);
      ground.pipes.release(report, false);
    }
  }

  /** Runs lines of bash; resolves with `$?` of what came last in them, or null when bash ended. */
  async run(id: string, lines: string): Promise<number | null> {
    const reported = Promise.withResolvers<number>();
    this.#report = (reporter, status) => {
      if (reporter === id) reported.resolve(status);
    };
    // On a line of its own: an interrupt gives up the rest of the line.
    void this.#stdin.write(Buffer.from(`${lines}\nbuiltin printf '%s %s\\n' ${id} "$?" >&${REPORT_FD}\n`));
    return Promise.race([reported.promise, this.exit.then(() => null)]);
  }

  /** The folder it is in, or null when it has ended. */
  cwd(): string | null {
    try {
      return readlinkSync(`/proc/${this.pid}/cwd`).replace(/ \(deleted\)$/, '');
    } catch {
      return null;
    }
  }

  /** What it has started and not waited for. */
  children(): Set<number> {
    try {
      const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'latin1');
      return new Set(children.trim().split(' ').map(Number));
    } catch {
      return new Set();
    }
  }

  kill(signal: NodeJS.Signals): void {
    try {
      process.kill(this.pid, signal);
    } catch {
      // It has ended.
    }
  }

  async #ready(reportPath: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, START_MS, null);
    });
    const status = await Promise.race([
      this.run('ready', `${QUIET}; exec ${REPORT_FD}>'${reportPath}'`),
      late,
    ]);
    clearTimeout(timer);
    if (status === 0) return;
    this.kill('SIGKILL');
    throw new CodedError('INTERNAL', 'bash did not start: it ended or reported nothing.');
  }
}

/** A command's lines: a file is run with its output going to pipes, which only what it starts will hold. */
export function sourceLines(id: string, variable: string, file: string, out: string, err: string): string {
  const redirections = `</dev/null >'${out}' 2>'${err}' ${REPORT_FD}>&-`;
  return `export ${variable}=${id}; . '${file}' ${redirections}`;
}
