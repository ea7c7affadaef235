import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Image } from './images.ts';
import type { SandboxPlace } from './store.ts';

const LIMIT_MS = 60_000;
const MAX_WORDS = 1_000;
/**
 * What a sandbox's disk may owe to its file: all of it is copied there when its last process ends, only to be removed
 * with the file. After 1 GB was written that took 270 to 3,600 ms; with this limit (Linux 6.2) it takes 200 to 310.
 */
const DIRTY_BYTES = 64 * 1024 * 1024;

/**
 * Runs in a mount namespace of its own, so that the machine never sees a mount: they go with the last process that
 * has them. It runs in the sandbox's folder, and starts no program that it can do without: each costs 2 ms. The
 * runtime takes this shell's place, so that the signal of a dead worker (see below) reaches it too. No keyring is made: a user has 200 at most, all
 * sandboxes are the same users, and the calls that reach keys are not theirs to make.
 */
const SCRIPT = `
set -e
cp --sparse=always --reflink=auto -- "$DISK" disk.img
mount -o loop,noatime,nobarrier,discard disk.img disk
while read -r _ _ device _ at _; do
  [ "$at" != "$PWD/disk" ] || dirty=/sys/class/bdi/$device
done </proc/self/mountinfo
if [ -w "$dirty/strict_limit" ]; then
  echo 1 >"$dirty/strict_limit"
  echo "$DIRTY_BYTES" >"$dirty/max_bytes"
fi
for disk in $BELOW; do
  mkdir "$disk"
  mount -o ro,loop,noatime "$disk.img" "$disk"
done
mount -t overlay -o "lowerdir=$LAYERS,upperdir=disk/upper,workdir=disk/work" overlay rootfs
exec "$RUNTIME" --root "$PWD/runtime" --log "$PWD/runtime.log" --log-format json \\
  run --no-new-keyring --detach --bundle "$PWD" --pid-file "$PWD/pid" "$NAME" </dev/null >/dev/null 2>&1
`;

/**
 * Starts a sandbox from its bundle: disk, file system, runtime.
 * The runtime dies with this process, and what it has not finished with it; a group may be left, with its folder.
 * @param disk - the image file that its disk is a copy of.
 * @param below - names of disks in its folder that lie between its own and the image, the newest first.
 * @throws an Error with the words of what failed.
 */
export async function launch(
  place: SandboxPlace,
  facts: { image: Image; below: string[]; disk: string; runtime: string },
): Promise<void> {
  const script = ['sh', '-c', SCRIPT];
  const argv = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private', ...script];
  const env = {
    PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C',
    DISK: facts.disk,
    DIRTY_BYTES: String(DIRTY_BYTES),
    BELOW: facts.below.join(' '),
    LAYERS: [...facts.below.map((disk) => `${disk}/upper`), ...facts.image.layers].join(':'),
    RUNTIME: facts.runtime,
    NAME: place.id,
  };
  try {
    await Promise.all(['disk', 'rootfs'].map((name) => mkdir(join(place.folder, name))));
    await promisify(execFile)('setpriv', argv, {
      cwd: place.folder,
      env,
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
  } catch (error) {
    throw new Error((await wordsOf(place, error)).slice(0, MAX_WORDS), { cause: error });
  }
}

const LogLine = z.object({ msg: z.string() });

/** What the runtime wrote last, else what the shell said. */
async function wordsOf({ folder }: SandboxPlace, error: unknown): Promise<string> {
  const log = await readFile(join(folder, 'runtime.log'), 'utf8').catch(() => '');
  const last = log.trim().split('\n').at(-1);
  if (last) {
    try {
      return LogLine.parse(JSON.parse(last)).msg;
    } catch {
      return last;
    }
  }
  if (!(error instanceof Error)) return String(error);
  const said = 'stderr' in error ? String(error.stderr).trim() : '';
  return said || error.message;
}
