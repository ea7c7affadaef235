import { spawn } from 'node:child_process';
import { chown, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ID_PATTERN, newId } from '../../protocol/ids.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import { EmbeddedError } from './embedded-error.ts';

/** The database's superuser. Nobody else can reach the socket. */
export const USER = 'agent';
const INITDB_TIMEOUT_MS = 120_000;
const MAX_OUTPUT = 4_000;

/** What PostgreSQL's programs are started with: who they run as, and how they find the data folder. */
export interface Invocation {
  /** The folder as it is named to them. */
  folder: string;
  options: { cwd: string; uid?: number; gid?: number; env: NodeJS.ProcessEnv; detached: true };
  /** Handed to the child as its file descriptor 3, when there is one; to be closed after. */
  folderFd: number | 'ignore';
  close(): Promise<void>;
}

/**
 * Prepares a start. Under another account on Linux the data folder goes as an open descriptor: so that account need not
 * be able to enter the folders above it, which may be a home closed to others.
 */
export async function prepareInvocation(folder: string, account: Account | null): Promise<Invocation> {
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
  if (!account || process.platform !== 'linux') {
    const as = account ? { uid: account.uid, gid: account.gid } : {};
    const options = { cwd: '/', env, detached: true as const, ...as };
    return { folder, options, folderFd: 'ignore', close: async () => {} };
  }
  const handle = await open(folder, 'r');
  const options = { cwd: '/', env, detached: true as const, uid: account.uid, gid: account.gid };
  return { folder: '/proc/self/fd/3', options, folderFd: handle.fd, close: () => handle.close() };
}

/** The major version that made a data folder; null when there is none yet. */
export async function clusterMajor(folder: string): Promise<number | null> {
  const text = await readFile(join(folder, 'PG_VERSION'), 'utf8').catch(() => null);
  if (text !== null) return Number.parseInt(text, 10);
  if (await stat(folder).catch(() => null)) {
    throw new EmbeddedError(
      `expected the data folder of a PostgreSQL in ${folder}; found no PG_VERSION in it. Restore the folder, or remove it to begin anew.`,
    );
  }
  return null;
}

/** Makes a data folder: under another name until it is whole, so that a crash leaves none that is half made. */
export async function createCluster(
  folder: string,
  binaries: Binaries,
  account: Account | null,
): Promise<void> {
  await removeUnfinished(folder);
  const temporary = `${folder}.${newId()}`;
  await mkdir(temporary, { mode: 0o700 });
  try {
    if (account) await chown(temporary, account.uid, account.gid);
    await initdb(temporary, binaries, account);
    const hba = join(temporary, 'pg_hba.conf');
    await writeFile(
      hba,
      '# The socket lies in a folder that only its owner can enter.\nlocal all all trust\n',
    );
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** What a process that was killed while it made one left. Nobody else makes one now: the caller holds the lock. */
async function removeUnfinished(folder: string): Promise<void> {
  const prefix = `${basename(folder)}.`;
  for (const name of await readdir(dirname(folder))) {
    if (!name.startsWith(prefix) || !ID_PATTERN.test(name.slice(prefix.length))) continue;
    await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}

/** C.UTF-8 sorts alike everywhere; from 17 on PostgreSQL brings it along, before that the system has to have it. */
function locale(major: number): string[] {
  if (major >= 17) return ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  return [process.platform === 'darwin' ? '--locale=C' : '--locale=C.UTF-8'];
}

async function initdb(folder: string, binaries: Binaries, account: Account | null): Promise<void> {
  const invocation = await prepareInvocation(folder, account);
  const args = ['-D', invocation.folder, '-U', USER, '-E', 'UTF8', '-k', ...locale(binaries.major)];
  try {
    const child = spawn(join(binaries.bin, 'initdb'), [...args, '--auth=trust', '--no-instructions'], {
      ...invocation.options,
      timeout: INITDB_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'pipe', invocation.folderFd],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-MAX_OUTPUT);
      });
    }
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    if (code === 0) return;
    throw new EmbeddedError(`initdb of PostgreSQL ${binaries.version} failed (${code}):\n${output}`);
  } finally {
    await invocation.close();
  }
}
