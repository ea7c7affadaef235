import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { npm } from '../npm.ts';
import { SetupError } from '../output.ts';
import { runProgram } from '../program.ts';
import { ROOT, TOOLS_DATA } from '../root.ts';

const SOURCE = join(ROOT, 'sandboxd/image/toolchain');
const PROCESSORS: Record<string, string> = { amd64: 'x64', x86_64: 'x64', arm64: 'arm64', aarch64: 'arm64' };

/** What the sandboxes have from npm, fetched by the host for the engine's processor: its `node_modules` in a folder. */
export async function makeToolchain(docker: Docker): Promise<{ folder: string; remove(): Promise<void> }> {
  const { Arch } = await docker.version();
  const cpu = PROCESSORS[Arch];
  if (!cpu)
    throw new SetupError(`The sandbox image needs an engine on amd64 or arm64; this one runs on ${Arch}.`);
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
