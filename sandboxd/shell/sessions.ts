import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '../../src/protocol/errors.ts';
import type { Ground } from '../process/launch.ts';
import { Session } from './session.ts';

const MAX_SESSIONS = 100;

/** The shell sessions by name, made at first use. */
export class Sessions {
  readonly #ground: Ground;
  readonly #folder: string;
  readonly #sessions = new Map<string, Session>();
  #files = 0;

  /** @param folder where the commands lie while they run */
  constructor(ground: Ground, folder: string) {
    this.#ground = ground;
    this.#folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  get(name: string): Session {
    const known = this.#sessions.get(name);
    if (known) return known;
    if (this.#sessions.size >= MAX_SESSIONS) {
      const message = `There are ${MAX_SESSIONS} shell sessions already, the most there may be.`;
      throw new CodedError('TOO_MANY_PROCESSES', message, { hint: 'Use one of them again.' });
    }
    const session = new Session(this.#ground);
    this.#sessions.set(name, session);
    return session;
  }

  /** A path for the next command. */
  nextFile(): string {
    this.#files += 1;
    return join(this.#folder, `${this.#files}`);
  }
}
