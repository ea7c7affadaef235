import type { Logger } from 'pino';
import { isPostmasterOf, type Postmaster } from './postmaster-pid.ts';
import { boundLog } from './server-log.ts';
import { type Place, startPostmaster } from './start-postmaster.ts';

const LOOK_MS = 500;
const LAST_WAIT_MS = 30_000;

/** Keeps a server running. */
export interface Watch {
  /** The server as it is now, or was last. */
  current(): Postmaster;
  /** Stops watching; resolves when nothing is under way. */
  end(): Promise<void>;
}

/** Looks after a server: one that is gone is started again in the same place, with longer pauses when that fails. */
export function watchPostmaster(first: Postmaster, place: Place, log: Logger): Watch {
  let current = first;
  let ended = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let underWay = Promise.resolve();

  async function look(): Promise<void> {
    try {
      if (!(await isPostmasterOf(current.pid, place.folder)) && !ended) {
        log.error({ pid: current.pid }, 'PostgreSQL is gone; it is started again');
        current = await startPostmaster({ ...place, socketFolder: first.socketFolder }, log);
      }
      await boundLog(place.logPath);
      failures = 0;
    } catch (error) {
      failures++;
      log.error({ err: error }, 'PostgreSQL could not be looked after; it is tried again');
    }
    if (!ended) next();
  }

  function next(): void {
    timer = setTimeout(
      () => {
        underWay = look();
      },
      Math.min(LAST_WAIT_MS, LOOK_MS * 2 ** failures),
    );
  }

  next();
  return {
    current: () => current,
    async end() {
      ended = true;
      clearTimeout(timer);
      await underWay;
    },
  };
}
