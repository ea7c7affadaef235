import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
/** What set-up keeps for itself; not in the repository, safe to delete. */
export const TOOLS_DATA = join(ROOT, '.tools');

/** @param {string} line */
function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Ends the process with a message for a person.
 * @param {string} message
 * @returns {never}
 */
export function fail(message) {
  say(message);
  process.exit(1);
}

/**
 * Runs one quiet step: its title, then how long it took; what it printed only when it fails, and then ends.
 * @param {string} title
 * @param {string[]} argv
 * @param {import('node:child_process').SpawnOptions} options
 */
export async function quietStep(title, [program = '', ...args], options) {
  say(`> ${title}`);
  const started = Date.now();
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += text));
  const [code] = await once(child, 'close').catch((/** @type {Error} */ error) => [error.message]);
  if (code !== 0) fail(`${output.trimEnd()}\n\nThis failed (${code}): ${[program, ...args].join(' ')}`);
  say(`  done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/**
 * Hands the terminal to a program. Ctrl-C reaches it from the terminal; SIGTERM and SIGHUP are passed on.
 * @param {string[]} argv
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>} its exit code, or 128 and its signal's number, as shells have it
 */
export async function handOver([program = '', ...args], env) {
  const child = spawn(program, args, { env, stdio: 'inherit' });
  process.on('SIGINT', () => undefined);
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => child.kill(signal));
  }
  const [code, signal] = await once(child, 'close');
  return code ?? 128 + (constants.signals[/** @type {NodeJS.Signals} */ (signal)] ?? 0);
}
