import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { npm } from '../npm.ts';
import { SetupError } from '../output.ts';
import { runProgram } from '../program.ts';
import { ROOT, TOOLS_DATA } from '../root.ts';

const SOURCE = join(ROOT, 'sandboxd/image/toolchain');
const PROCESSORS: Record<string, string> = {
  amd64: 'x64',
  x86_64: 'x64',
  x64: 'x64',
  arm64: 'arm64',
  aarch64: 'arm64',
};

/**
 * What the sandboxes have from npm, fetched by the host: its `node_modules` in a folder.
 * @param processor - what the sandboxes run on, in Docker's, Linux's or Node.js's words.
 */
export async function makeToolchain(processor: string): Promise<{ folder: string; remove(): Promise<void> }> {
  const cpu = PROCESSORS[processor];
  if (!cpu)
    throw new SetupError(`The sandbox image needs a machine with amd64 or arm64; found ${processor}.`);
  const folder = join(TOOLS_DATA, 'toolchain');
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  await remove();
  await mkdir(folder, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) await cp(join(SOURCE, name), join(folder, name));
  await runProgram(
    [...npm(), 'ci', '--os=linux', `--cpu=${cpu}`, '--ignore-scripts', '--no-audit', '--no-fund'],
    {
      cwd: folder,
    },
  );
  // 67 MB of headers that nothing looks for there.
  await rm(join(folder, 'node_modules', `node-linux-${cpu}`, 'include'), { recursive: true, force: true });
  return { folder, remove };
}
