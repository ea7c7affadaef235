import { type Runtime, Session } from 'node:inspector';
import { inspect } from 'node:util';
import type { FromMain, Thrown, ToMain } from './messages.ts';
import { flush, makeBlocking } from './streams.ts';
import { bundle } from './values.ts';

/** Mode of a REPL is not among what Node.js's types know. */
type Evaluate = Runtime.EvaluateParameterType & { replMode: true };

const GROUP = 'cell';
const TAKE = Symbol.for('kernel.take');

/**
 * Runs code as the console of a browser would, through the inspector of this very thread: declarations stay and may come
 * again, await stands anywhere. Called from outside, the inspector could not be asked to break off what it evaluates.
 */
export class Evaluator {
  readonly #tell: (message: FromMain) => void;
  #inspector = new Session();
  /** The function that takes a value out of the inspector, by the inspector's name for it. */
  #takeId = '';
  #taken: unknown;
  /** The run that has not been told to be done. */
  #pending = 0;

  constructor(tell: (message: FromMain) => void) {
    this.#tell = tell;
    this.#connect();
  }

  take(message: ToMain): void {
    if ('code' in message) this.#run(message);
    else if (message.interrupted === this.#pending) this.#giveUp();
  }

  /** Shows a value to whoever runs the code. */
  show(kind: 'result' | 'display', value: unknown): Promise<void> {
    return bundle(value).then((data) => this.#tell({ event: 'display', kind, data }));
  }

  #run({ run, code, name, source }: Exclude<ToMain, { interrupted: number }>): void {
    const options: Evaluate = { expression: code, replMode: true, awaitPromise: true, objectGroup: GROUP };
    makeBlocking();
    this.#pending = run;
    this.#inspector.post('Runtime.evaluate', options, (error, answer) => {
      if (this.#pending !== run) return;
      void this.#finish(error ? null : answer, name, source).then(async (exception) => {
        await flush();
        if (this.#pending === run) this.#done(exception);
      });
    });
  }

  #done(exception: Thrown | null): void {
    this.#tell({ event: 'done', run: this.#pending, exception });
    this.#pending = 0;
  }

  /**
   * Code that was broken off between two of its awaits leaves a promise that is never settled. The session that waits for
   * it has to go: told by the garbage collector, it would call back where nothing may be called, which ends the process.
   */
  #giveUp(): void {
    this.#done(INTERRUPTED);
    this.#inspector.disconnect();
    this.#inspector = new Session();
    this.#connect();
  }

  #connect(): void {
    this.#inspector.connect();
    const world = globalThis as { [TAKE]?: unknown };
    world[TAKE] = (value: unknown): void => {
      this.#taken = value;
    };
    const expression = 'globalThis[Symbol.for("kernel.take")]';
    this.#inspector.post('Runtime.evaluate', { expression }, (_error, answer) => {
      this.#takeId = answer.result.objectId ?? '';
    });
    delete world[TAKE];
  }

  /** Null when all went well. Nothing that the code made may throw from here: showing it runs code of its own. */
  async #finish(
    answer: Runtime.EvaluateReturnType | null,
    name: string,
    source: string,
  ): Promise<Thrown | null> {
    if (!answer) return INTERRUPTED;
    const { result, exceptionDetails } = answer;
    try {
      const value = this.#value(exceptionDetails?.exception ?? result);
      this.#inspector.post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
      if (exceptionDetails) return thrown(value, exceptionDetails, name, source);
      if (value !== undefined) await this.show('result', value);
      return null;
    } catch (error) {
      const message = `the value could not be shown: ${error instanceof Error ? error.message : 'it throws'}`;
      return { name: 'Error', message, traceback: message };
    }
  }

  /** The value itself, in place of what the inspector says of it. */
  #value({ objectId, value, unserializableValue }: Runtime.RemoteObject): unknown {
    const argument = objectId ? { objectId } : unserializableValue ? { unserializableValue } : { value };
    const call = {
      objectId: this.#takeId,
      functionDeclaration: 'function (v) { this(v) }',
      arguments: [argument],
    };
    this.#inspector.post('Runtime.callFunctionOn', call);
    const taken = this.#taken;
    this.#taken = undefined;
    return taken;
  }
}

const INTERRUPTED: Thrown = { name: 'Interrupted', message: '', traceback: '' };

function thrown(
  value: unknown,
  { lineNumber, columnNumber }: Runtime.ExceptionDetails,
  name: string,
  source: string,
): Thrown {
  const isError = value instanceof Error;
  const text = inspect(value);
  const own = isError ? withoutOurs(text) : text;
  const at = new RegExp(`${name}:(\\d+):(\\d+)`).exec(text);
  const [line, column] = at ? [Number(at[1]), Number(at[2])] : [lineNumber + 1, columnNumber + 1];
  return {
    name: isError ? value.name : 'Uncaught',
    message: isError ? value.message : own.slice(0, 1_000),
    traceback: `${frame(source, name, line, column)}${own}`,
  };
}

/** The stack down to the last line of the user's; the rest is how the code was called. */
const withoutOurs = (stack: string): string =>
  stack
    .split('\n')
    .filter(
      (line) =>
        !/^\s+at .*(node:internal|node:inspector|node:events|node-kernel\.mjs|kernel\/node\/program)/.test(
          line,
        ),
    )
    .join('\n');

/** The line that threw, with a mark below its column. */
function frame(source: string, name: string, line: number, column: number): string {
  const text = source.split('\n')[line - 1];
  if (text === undefined || text.length > 500) return '';
  return `${name}:${line}\n${text}\n${' '.repeat(Math.max(0, column - 1))}^\n`;
}
