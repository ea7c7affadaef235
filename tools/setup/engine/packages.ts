import { step } from '../output.ts';
import { runProgram } from '../program.ts';

const ENV = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', APT_LISTCHANGES_FRONTEND: 'none' };
// Another apt at work (a machine that has just booted updates itself) is waited for.
const APT = ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300'];

/** Installs Debian packages as root, without what they merely recommend; the lists are fetched only when they are too old. */
export async function installPackages(packages: string[]): Promise<void> {
  await step(`Installing ${packages.join(', ')} with apt-get`, async () => {
    const install = [...APT, '-y', '--no-install-recommends', 'install', ...packages];
    try {
      await runProgram(install, { env: ENV });
    } catch {
      await runProgram([...APT, 'update'], { env: ENV });
      await runProgram(install, { env: ENV });
    }
  });
}
