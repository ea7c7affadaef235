import { execFile } from 'node:child_process';
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { promisify } from 'node:util';
import type { PartState } from '../engine-state.ts';
import { hierarchies } from './cgroup.ts';
import type { OciStore } from './store.ts';

const run = promisify(execFile);
const ANSWER_MS = 10_000;
const CAP_SYS_ADMIN = 1n << 21n;
/** Runtimes of which it is known that a sandbox's processes are the machine's own, where they can be reached. */
const RUNTIMES = /^(\S*\/)?(runc|crun|youki)$/;
const NEEDED_GROUPS = ['cpu', 'memory', 'pids'];

/** Whether this machine can run sandboxes without an engine: what is missing first, with what to do about it. */
export async function checkHost(store: OciStore, runtime = 'runc'): Promise<PartState> {
  const missing = await firstMissing(store, runtime).catch((error: Error) => error.message);
  if (missing !== null) return { ready: false, detail: `oci: ${missing}` };
  const { stdout } = await run(runtime, ['--version'], { timeout: ANSWER_MS });
  const version = stdout.split('\n')[0]?.replace(' version', '') ?? runtime;
  return { ready: true, detail: `${version} without an engine` };
}

async function firstMissing(store: OciStore, runtime: string): Promise<string | null> {
  if (platform() !== 'linux') return 'it needs Linux.';
  if (process.getuid?.() !== 0 || !(await isFullRoot())) {
    return 'it needs root with its capabilities, to limit disks and groups of processes; run as root, or use Docker.';
  }
  if (!RUNTIMES.test(runtime))
    return `it cannot use the runtime "${runtime}": set SANDBOX_RUNTIME to runc or crun.`;
  for (const [program, origin] of [
    [runtime, runtime],
    ['mkfs.ext4', 'e2fsprogs'],
    ['unshare', 'util-linux'],
    ['setpriv', 'util-linux'],
  ] as const) {
    if (!(await answers(program, ['--version'], ['-V'])))
      return `${program} is missing: apt-get install ${origin}`;
  }
  await mkdir(store.folder, { recursive: true, mode: 0o711 });
  return kernelLacks();
}

async function isFullRoot(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'latin1');
  return (BigInt(`0x${/^CapEff:\s+(\S+)/m.exec(status)?.[1]}`) & CAP_SYS_ADMIN) !== 0n;
}

async function kernelLacks(): Promise<string | null> {
  const kinds = await readFile('/proc/filesystems', 'latin1');
  for (const kind of ['overlay', 'ext4']) {
    if (!kinds.includes(`\t${kind}\n`)) return `the kernel does not know ${kind}: modprobe ${kind}`;
  }
  await access('/dev/loop-control', constants.W_OK).catch(() => {
    throw new Error('there is no /dev/loop-control, which limits disks: modprobe loop');
  });
  const groups = await groupControllers();
  const lacking = NEEDED_GROUPS.filter((name) => !groups.has(name));
  if (lacking.length > 0)
    return `control groups for ${lacking.join(', ')} are not mounted under /sys/fs/cgroup.`;
  // In a container of another engine /proc is covered, or user namespaces are refused: only trying it tells.
  const trial = [
    '--user',
    '--map-root-user',
    '--mount',
    '--pid',
    '--fork',
    'mount',
    '-t',
    'proc',
    'proc',
    '/proc',
  ];
  if (await answers('unshare', trial)) return null;
  return 'the kernel refuses user namespaces with a /proc of their own; run on the machine itself, or use Docker.';
}

async function groupControllers(): Promise<Set<string>> {
  const all = await hierarchies();
  const found = new Set(all.flatMap(({ controllers }) => controllers));
  for (const { folder, version } of all) {
    if (version !== 2) continue;
    const names = await readFile(`${folder}/cgroup.controllers`, 'latin1').catch(() => '');
    for (const name of names.trim().split(' ')) found.add(name);
  }
  return found;
}

/** Whether a program ends well with one of these arguments. */
async function answers(program: string, ...tries: string[][]): Promise<boolean> {
  for (const args of tries) {
    const ended = await run(program, args, { timeout: ANSWER_MS }).then(
      () => true,
      () => false,
    );
    if (ended) return true;
  }
  return false;
}
