import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough, type Readable } from 'node:stream';
import { installPackages } from '../engine/packages.ts';
import { say } from '../output.ts';
import { exitOf, failed } from '../program.ts';
import { ROOT } from '../root.ts';
import { aptSettings, debianSources } from './host-apt.ts';

const SOURCE = join(ROOT, 'sandboxd/image');
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const TAIL_LINES = 30;

/** Installs what {@link baseTarball} needs, if it is not there. */
export async function prepareBootstrap(): Promise<void> {
  const missing = [
    ...(existsSync('/usr/bin/mmdebstrap') ? [] : ['mmdebstrap']),
    ...(existsSync(KEYRING) ? [] : ['debian-archive-keyring']),
  ];
  if (missing.length > 0) await installPackages(missing);
}

/**
 * The base's root file system as a tarball, made by mmdebstrap from Debian's packages: needs root and a Debian mirror,
 * no engine. The stream fails when mmdebstrap does; it never just ends early.
 */
export async function baseTarball(toolchain: string): Promise<Readable> {
  const { suite, sources } = await debianSources();
  const packages = readFileSync(join(SOURCE, 'packages.txt'), 'utf8').match(/^[^#\s]+$/gm) ?? [];
  const quoted = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;
  const argv = [
    'mmdebstrap',
    '--variant=minbase',
    '--format=tar',
    `--keyring=${KEYRING}`,
    `--dpkgopt=${join(SOURCE, 'dpkg.cfg')}`,
    ...(await aptSettings()).map((setting) => `--aptopt=${setting}`),
    `--include=${packages.join(',')}`,
    `--customize-hook=cp -r ${quoted(toolchain)} "$1/tmp/toolchain"`,
    `--customize-hook=cp ${quoted(join(SOURCE, 'provision.sh'))} "$1/tmp/"`,
    '--customize-hook=chroot "$1" sh /tmp/provision.sh /tmp/toolchain',
    suite,
    '-',
    ...sources,
  ];
  return outputOf(argv);
}

/** What a program writes to stdout, as a stream that ends well only when the program does. */
function outputOf(argv: string[]): Readable {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = new PassThrough();
  child.stdout.pipe(output, { end: false });
  const tail: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    const stage = /^I: (downloading|extracting|installing|creating)(.*)/.exec(line);
    if (stage) say(`  ${stage[1]}${stage[2]}`);
  });
  output.once('close', () => child.kill());
  exitOf(child, program).then(
    (ended) => (ended === 0 ? output.end() : output.destroy(failed([program], ended, tail))),
    (error: Error) => output.destroy(error),
  );
  return output;
}
