import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** What the base (Debian's packages, Node.js, npm, the runtime's libraries) is made from. */
const BASE_INPUTS = [
  'sandboxd/image/packages.txt',
  'sandboxd/image/dpkg.cfg',
  'sandboxd/image/provision.sh',
  'sandboxd/image/base.Dockerfile',
  'sandboxd/image/toolchain/package.json',
  'sandboxd/image/toolchain/package-lock.json',
];
/** The lock file is among them because the bundle holds libraries, the last one because it says how it is made. */
const SANDBOX_INPUTS = ['sandboxd', 'src/protocol', 'package-lock.json', 'tools/setup/image/sandbox.ts'];

export const BASE_REPOSITORY = 'containerized-agent-base';
export const SANDBOX_REPOSITORY = 'containerized-agent-sandbox';

/** The tag of the base image that these sources make. */
export function baseImage(): string {
  return `${BASE_REPOSITORY}:${digest(BASE_INPUTS)}`;
}

/** The tag of the sandbox image that these sources make: equal sources, equal tag, on every machine. Reads about 1 MB. */
export function defaultImage(): string {
  return `${SANDBOX_REPOSITORY}:${digest(SANDBOX_INPUTS)}`;
}

function digest(inputs: string[]): string {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap((input) => files(join(ROOT, input))).sort()) {
    hash.update(`${relative(ROOT, file).split(sep).join('/')}\0`);
    hash.update(createHash('sha256').update(readFileSync(file)).digest());
  }
  return hash.digest('hex').slice(0, 12);
}

function files(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules')
    .flatMap((entry) => files(join(path, entry.name)));
}
