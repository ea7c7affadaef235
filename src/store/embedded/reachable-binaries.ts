import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { newId } from '../../protocol/ids.ts';
import type { Binaries } from './binaries.ts';
import { EmbeddedError } from './embedded-error.ts';

const CACHE = '/var/cache/containerized-agent';
const OTHERS_EXECUTE = 0o001;

/**
 * Binaries that another account can run: as they are, or, where a folder above them is closed to it (a project below
 * /root, say), a copy in /var/cache, made once for each version.
 */
export async function reachableBinaries(binaries: Binaries): Promise<Binaries> {
  if (await isOpen(binaries.bin)) return binaries;
  const { packageFolder, version, bin } = binaries;
  if (!packageFolder) {
    throw new EmbeddedError(
      `expected folders that other users may enter above ${bin}; one is closed. Install PostgreSQL elsewhere, or set DATABASE_URL.`,
    );
  }
  const copy = join(CACHE, `postgres-${version}-${process.arch}`);
  if (!(await stat(copy).catch(() => null))) await copyPackage(packageFolder, copy);
  return { ...binaries, bin: join(copy, 'native', 'bin') };
}

/** Whether everyone may enter a folder and all above it. */
async function isOpen(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & OTHERS_EXECUTE) === 0) return false;
  return folder === dirname(folder) || isOpen(dirname(folder));
}

async function copyPackage(from: string, to: string): Promise<void> {
  const temporary = `${to}.${newId()}`;
  await mkdir(temporary, { recursive: true, mode: 0o755 });
  try {
    await cp(join(from, 'native'), join(temporary, 'native'), { recursive: true, verbatimSymlinks: true });
    // Another process may have been faster: its copy is as good.
    await rename(temporary, to).catch(async (error) => {
      if (!(await stat(to).catch(() => null))) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
