import { CodedError, type ErrorInfo, toErrorInfo } from '../../protocol/errors.ts';

/** The last line of work that could not be done, or was cut off. */
export interface FailedLine {
  type: 'failed';
  error: ErrorInfo;
}

/** Adds a line; resolves when it has been taken, so that whoever reads slowly is waited for. */
export type AddLine<Line> = (line: Line) => Promise<void>;

/**
 * Work as the lines that it adds while it goes on, last what it resolves with, or `failed`. To stop taking lines is to
 * end the work, by its signal.
 */
export async function* pacedLines<Line>(
  signal: AbortSignal,
  work: (add: AddLine<Line>, signal: AbortSignal) => Promise<Line>,
): AsyncGenerator<Line | FailedLine> {
  const stopping = new AbortController();
  const lines: (Line | FailedLine)[] = [];
  let over = false;
  let more = Promise.withResolvers<void>();
  let taken = Promise.withResolvers<void>();
  const add = (line: Line | FailedLine): Promise<void> => {
    lines.push(line);
    more.resolve();
    return taken.promise;
  };
  const last = (line: Line | FailedLine): void => {
    over = true;
    void add(line);
  };
  const run = work(add, AbortSignal.any([signal, stopping.signal])).then(last, (error: unknown) =>
    last({ type: 'failed', error: toErrorInfo(asCoded(error)) }),
  );
  try {
    while (!over || lines.length > 0) {
      await more.promise;
      more = Promise.withResolvers();
      for (let line = lines.shift(); line !== undefined; line = lines.shift()) yield line;
      taken.resolve();
      taken = Promise.withResolvers();
    }
  } finally {
    stopping.abort(new CodedError('CONNECTION_LOST', 'the client has gone'));
    taken.resolve();
    await run;
  }
}

/** Only codes of ours, and no words of a fault of the server's own. */
const asCoded = (error: unknown): CodedError =>
  error instanceof CodedError ? error : new CodedError('INTERNAL', 'the server met a fault of its own');
