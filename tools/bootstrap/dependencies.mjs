import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietStep, ROOT } from './process.mjs';

/**
 * Installs the dependencies as package-lock.json has them, unless they are there.
 * @param {import('./node.mjs').Node} node
 */
export async function ensureDependencies(node) {
  if (installed()) return;
  await quietStep(
    'Installing the dependencies from npm',
    [...node.npm, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'],
    { cwd: ROOT, env: node.env },
  );
}

/**
 * Whether node_modules holds what the lock file says. npm writes its record of what it installed when all of it is
 * there: after a cut installation there is none, or an older one.
 */
function installed() {
  const wanted = packages('package-lock.json');
  const present = packages('node_modules/.package-lock.json');
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, { version, optional, devOptional, peer, link }]) => {
    const found = present[path];
    // What is optional may be for another machine.
    if (!found) return path === '' || link || optional || devOptional || peer;
    return found.version === version;
  });
}

/**
 * @typedef {{ version?: string, optional?: boolean, devOptional?: boolean, peer?: boolean, link?: boolean }} Package
 * @param {string} file
 * @returns {Record<string, Package> | undefined}
 */
function packages(file) {
  try {
    return JSON.parse(readFileSync(join(ROOT, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}
