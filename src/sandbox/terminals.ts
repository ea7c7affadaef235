import type { Duplex } from 'node:stream';
import type { TerminalEnded, TerminalInfo, TerminalSize } from '../protocol/terminal.ts';
import type { CallOptions } from './call-options.ts';

export interface OpenTerminal extends TerminalSize {
  name: string;
  /** What runs in a new one; default an interactive bash. */
  argv?: string[];
  cwd?: string;
  env?: Record<string, string>;
}

/** A terminal as one viewer has it. */
export interface OpenedTerminal {
  name: string;
  /** Whether it was there already; then the stream begins with what it has shown lately. */
  joined: boolean;
  /** What it shows, and what is typed. Destroying it leaves the terminal to go on, for ten minutes if nobody sees it. */
  stream: Duplex;
  /** Resolves when its program has ended; with null when the stream is over before. Never rejects. */
  ended: Promise<TerminalEnded | null>;
}

/** Programs on pseudo-terminals, each with a name: any number of them, and of viewers of each. */
export interface Terminals {
  /** Joins the terminal of that name, or makes it; the newest viewer's size counts. */
  open(terminal: OpenTerminal, options?: CallOptions): Promise<OpenedTerminal>;
  /** @throws CodedError PROCESS_NOT_FOUND */
  resize(name: string, size: TerminalSize, options?: CallOptions): Promise<void>;
  /** Ends it with all that runs in it. @throws CodedError PROCESS_NOT_FOUND */
  close(name: string, options?: CallOptions): Promise<void>;
  list(options?: CallOptions): Promise<TerminalInfo[]>;
}
