import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { HOLD, IMPORT, META } from './names.ts';

/** Named as Jupyter names it. */
class StdinNotImplementedError extends Error {
  override name = 'StdinNotImplementedError';
}

/** What the code of cells finds beside what Node.js has: modules are looked for from the folder that it works in. */
export function makeWorld(display: (value: unknown) => void, socketPath: string): void {
  const here = () => pathToFileURL(join(process.cwd(), 'cell.ts')).href;
  const define = (name: string, value: unknown): void => {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  };
  const requireHere = createRequire(here());
  define('require', requireHere);
  define('display', display);
  define(
    IMPORT,
    (specifier: string, options?: ImportCallOptions) =>
      import(import.meta.resolve(`${specifier}`, here()), options),
  );
  define(HOLD, hold);
  define(META, {
    get url() {
      return here();
    },
    get dirname() {
      return process.cwd();
    },
    resolve: (specifier: string) => import.meta.resolve(specifier, here()),
  });
  Object.defineProperty(process, 'stdin', {
    configurable: true,
    get() {
      throw new StdinNotImplementedError('nobody can type here: pass values in the code or in files');
    },
  });
  process.argv = process.argv.filter((word) => word !== socketPath);
  const outside = (error: unknown): void => {
    process.stderr.write(`Uncaught outside of a cell: ${inspect(error)}\n`);
  };
  process.on('uncaughtException', outside);
  process.on('unhandledRejection', outside);
}

const held = new Set<unknown>();

/**
 * Keeps what a cell waits for from being collected as garbage, and the cell with it: the inspector would end the process
 * (see Evaluator).
 */
function hold<T>(value: T): T {
  if (!(value instanceof Promise)) return value;
  held.add(value);
  const settled = (): void => void held.delete(value);
  value.then(settled, settled);
  return value;
}
