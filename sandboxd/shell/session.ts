import { stat } from 'node:fs/promises';
import type { ShellEnded } from '../../src/protocol/sandboxd.ts';
import type { Ground } from '../process/launch.ts';
import { memoryKills } from '../process/memory-limit.ts';
import { Bash } from './bash.ts';
import { type PreparedCommand, prepare, type ShellCommand, type ShellRequest } from './command.ts';
import { interrupt } from './interrupt.ts';

/** A lasting shell: directory, variables, functions and background jobs stay from one command to the next. */
export class Session {
  readonly #ground: Ground;
  #bash: Bash | null = null;
  #cwd: string;
  #env: Record<string, string> = {};
  /** Whether it has lost its bash since a command was told so. */
  #anew = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#cwd = ground.workspace;
  }

  /**
   * Runs a command after those before it. When it is aborted or takes too long, it is ended with what it started;
   * the session stays if it lets itself be interrupted.
   * @throws the signal's reason when it is aborted before its turn; as starting bash does.
   */
  run(request: ShellRequest, onStart: (command: ShellCommand) => void): Promise<ShellEnded> {
    const turn = this.#last.then(() => {
      request.signal.throwIfAborted();
      return this.#run(request, onStart);
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #run(request: ShellRequest, onStart: (command: ShellCommand) => void): Promise<ShellEnded> {
    const began = performance.now();
    const kills = memoryKills();
    this.#env = { ...this.#env, ...request.env };
    const bash = await this.#start();
    const anew = this.#anew;
    const command = await prepare(this.#ground.pipes, bash, request);
    onStart(command);
    const { status, timedOut } = await this.#wait(command, bash, request);
    const exit = status === null ? await bash.exit : null;
    // This command is told of it; the next need not be.
    this.#anew = false;
    this.#cwd = bash.cwd() ?? this.#cwd;
    await command.close(exit !== null);
    return {
      event: 'ended',
      exit_code: exit ? exit.code : status,
      signal: exit ? exit.signal : null,
      timed_out: timedOut,
      oom_killed: memoryKills() > kills,
      duration_ms: performance.now() - began,
      cwd: this.#cwd,
      restarted: exit !== null || anew,
    };
  }

  async #wait(
    { belongs, done }: PreparedCommand,
    bash: Bash,
    { signal, timeoutMs }: ShellRequest,
  ): Promise<{ status: number | null; timedOut: boolean }> {
    let timedOut = false;
    let ending: Promise<void> | null = null;
    const end = (): void => {
      ending ??= interrupt(bash, belongs, done);
    };
    const late = (): void => {
      timedOut = true;
      end();
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const status = await done;
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    await ending;
    return { status, timedOut };
  }

  async #start(): Promise<Bash> {
    if (this.#bash) return this.#bash;
    const folder = await stat(this.#cwd).catch(() => null);
    if (!folder?.isDirectory()) this.#cwd = this.#ground.workspace;
    const bash = await Bash.start(this.#ground, this.#cwd, this.#env);
    this.#bash = bash;
    void bash.exit.then(() => {
      this.#bash = null;
      this.#anew = true;
    });
    return bash;
  }
}
