import type { LogType } from '../protocol/job.ts';
import type { StreamRedactor } from './redact.ts';

/** Batches a job's log lines: one write to the store for each of these. */
const BATCH_BYTES = 256 * 1024;
const BATCH_MS = 100;
/** With more than this waiting to be stored, the sandbox is held back. */
const ROOM_BYTES = 1024 * 1024;

export interface LogWriter {
  /** Takes the text; resolves when there is room for more. */
  write(bytes: Buffer): Promise<void>;
  /** Resolves when all that was taken is stored, less a tail that may be the start of a secret. */
  flush(): Promise<void>;
  /** Stores the rest. */
  end(): Promise<void>;
}

/**
 * Writes one of a job's logs in batches, in order, redacted.
 * @param store puts bytes at the end of the log.
 * @param onError told once, when storing has failed; what comes after that is dropped.
 */
export function createLogWriter(
  redactor: StreamRedactor,
  store: (bytes: Buffer) => Promise<void>,
  onError: (error: unknown) => void,
): LogWriter {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let storing: Promise<void> = Promise.resolve();
  let broken = false;

  function take(piece: Buffer) {
    if (piece.length === 0 || broken) return;
    pieces.push(piece);
    bytes += piece.length;
    timer ??= setTimeout(flush, BATCH_MS);
  }
  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    storing = storing.then(storeBatches);
    return storing;
  }
  async function storeBatches() {
    while (pieces.length > 0) {
      const batch = Buffer.concat(pieces);
      pieces = [];
      try {
        await store(batch);
        bytes -= batch.length;
      } catch (error) {
        pieces = [];
        bytes = 0;
        broken = true;
        onError(error);
      }
    }
  }
  return {
    async write(given) {
      take(redactor.push(given));
      if (bytes >= ROOM_BYTES) await flush();
      else if (bytes >= BATCH_BYTES) void flush();
    },
    flush,
    end() {
      take(redactor.end());
      return flush();
    },
  };
}

export type LogWriters = Record<LogType, LogWriter>;
