import { lchown, lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageConfig } from '../../../src/sandbox/oci/images.ts';
import { MAPPED_USERS, type OciStore } from '../../../src/sandbox/oci/store.ts';
import { runProgram } from '../program.ts';
import { readDockerfile, type Step } from './dockerfile.ts';

/** What an engine with a network puts into its containers itself. */
const ETC = {
  hostname: 'sandbox\n',
  hosts: '127.0.0.1\tlocalhost sandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n',
  'resolv.conf': '# A sandbox has no name server: names are resolved outside, by its proxy.\n',
};

/** Runs in a mount namespace of its own; its mounts go with it. */
const IN_ROOT = `
set -e
mount -t overlay -o "lowerdir=$BASE,upperdir=$LAYER,workdir=$WORK" overlay "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
`;

/**
 * Carries out the steps of a context's Dockerfile on top of a base, without an engine.
 * @param folder - where the layer's `rootfs` is made; its file system takes an overlay.
 * @param base - the base's file system, its owners shifted.
 */
export async function makeLayer(
  store: OciStore,
  context: string,
  base: string,
  folder: string,
): Promise<Omit<ImageConfig, 'base'>> {
  const { steps, env, cwd, argv } = readDockerfile(await readFile(join(context, 'Dockerfile'), 'utf8'));
  const layer = join(folder, 'rootfs');
  const mounts = { WORK: join(folder, 'work'), ROOT: join(folder, 'root') };
  for (const path of [layer, mounts.WORK, mounts.ROOT, join(layer, 'etc')]) {
    await mkdir(path, { recursive: true, mode: 0o755 });
  }
  for (const [name, text] of Object.entries(ETC)) await writeFile(join(layer, 'etc', name), text);
  const script = [IN_ROOT, ...steps.map(asShell)].join('\n');
  await runProgram(['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script], {
    cwd: context,
    env: { PATH: process.env.PATH, LC_ALL: 'C', BASE: base, LAYER: layer, ...mounts },
  });
  for (const path of Object.values(mounts)) await rm(path, { recursive: true });
  await shiftTree(layer, store.firstUser);
  return { env, cwd, argv };
}

/** A step as lines of the script. A folder is copied by what is in it, and the context's owners mean nothing inside. */
function asShell(step: Step): string {
  if ('run' in step) return `chroot "$ROOT" /bin/sh -c ${quoted(step.run)}`;
  const into = step.to.endsWith('/');
  return step.copy
    .map((path) => {
      const [from, to] = [quoted(path), `"$ROOT"${quoted(step.to)}`];
      const file = `install -D -o 0 -g 0 -m "$(stat -c %a ${from})" ${from} ${to}${into ? quoted(path) : ''}`;
      return `if [ -d ${from} ]; then mkdir -p ${to} && cp -rT --no-preserve=ownership ${from} ${to}; else ${file}; fi`;
    })
    .join('\n');
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Gives what the steps made to the users outside; what they took over from the base is theirs already. */
async function shiftTree(path: string, by: number): Promise<void> {
  const found = await lstat(path);
  const shifted = (id: number): number => (id < MAPPED_USERS ? id + by : id);
  await lchown(path, shifted(found.uid), shifted(found.gid));
  // A link to a folder leads out of the layer.
  if (!found.isDirectory()) return;
  for (const name of await readdir(path)) await shiftTree(join(path, name), by);
}
