import type { z } from 'zod';
import { CodedError } from '../../src/protocol/errors.ts';
import { SANDBOX_PATHS } from '../../src/protocol/sandboxd.ts';
import type { TerminalOpen } from '../../src/protocol/terminal.ts';
import { type Ground, launch } from '../process/launch.ts';
import { Terminal } from './terminal.ts';

const MAX_TERMINALS = 100;
/** Carries a pseudo-terminal over pipes: Node.js has no call to make one. */
const PTY = `${SANDBOX_PATHS.runtime}/bin/pty`;
const ENV = { TERM: 'xterm-256color', COLORTERM: 'truecolor' };

/** The terminals by name, made when they are first opened and gone with their program. */
export class Terminals {
  readonly #ground: Ground;
  readonly #terminals = new Map<string, Promise<Terminal>>();

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /**
   * The terminal of that name; a new one where there is none.
   * @throws CodedError TOO_MANY_PROCESSES, and as starting a process does.
   */
  async open(wanted: z.infer<typeof TerminalOpen>): Promise<{ terminal: Terminal; joined: boolean }> {
    const known = this.#terminals.get(wanted.name);
    if (known) return { terminal: await known, joined: true };
    if (this.#terminals.size >= MAX_TERMINALS) {
      const message = `There are ${MAX_TERMINALS} terminals already, the most there may be.`;
      throw new CodedError('TOO_MANY_PROCESSES', message, { hint: 'Close one of them first.' });
    }
    const starting = this.#start(wanted);
    this.#terminals.set(wanted.name, starting);
    const forget = (): void => void this.#terminals.delete(wanted.name);
    starting.then((terminal) => terminal.ended.then(forget), forget);
    return { terminal: await starting, joined: false };
  }

  /** @throws CodedError PROCESS_NOT_FOUND */
  async get(name: string): Promise<Terminal> {
    const terminal = await this.#terminals.get(name);
    if (terminal) return terminal;
    throw new CodedError('PROCESS_NOT_FOUND', `There is no terminal ${JSON.stringify(name)}.`);
  }

  all(): Promise<Terminal[]> {
    return Promise.all(this.#terminals.values());
  }

  async #start({ name, rows, columns, argv, cwd, env }: z.infer<typeof TerminalOpen>): Promise<Terminal> {
    const terminal = new Terminal(name, { rows, columns });
    const program = argv ?? ['/bin/bash'];
    const request = {
      argv: [PTY, `${rows}`, `${columns}`, ...program],
      cwd,
      env: { ...ENV, ...env },
      stdin: true,
    };
    terminal.begin(await launch(this.#ground, request, terminal.sink, terminal.sink));
    return terminal;
  }
}
