import type Docker from 'dockerode';
import { findImage } from '../../../src/sandbox/oci/images.ts';
import type { OciStore } from '../../../src/sandbox/oci/store.ts';
import { canInstallPackages } from '../engine/host.ts';
import { SetupError, say, step } from '../output.ts';
import { importTarball } from './engine-calls.ts';
import { baseTarball, prepareBootstrap } from './from-packages.ts';
import { buildFromRegistry, pullDebian } from './from-registry.ts';
import { packRootfs } from './oci-store.ts';
import { makeToolchain } from './toolchain.ts';

/** Makes the base image: what the engine oci has of it, else from the registry's Debian where the engine reaches it, else from Debian's packages. */
export async function makeBase(docker: Docker, store: OciStore, tag: string): Promise<void> {
  if (await findImage(store, tag)) {
    await step(`Taking ${tag} from ${store.folder}`, () =>
      importTarball(docker, packRootfs(store, tag), tag),
    );
    return;
  }
  const unreachable = await pullDebian(docker);
  say(
    unreachable
      ? `The base of the sandbox image comes from Debian's packages (no image registry: ${unreachable})`
      : 'The base of the sandbox image comes from the Debian image of the registry',
  );
  if (unreachable && !canInstallPackages()) {
    throw new SetupError(
      'The sandbox image cannot be made: an image registry is not reachable from the engine, and without one it takes root on Debian or Ubuntu. Give the engine access to docker.io (or a mirror of it), or run this as root there.',
    );
  }
  const toolchain = await step('Fetching Node.js, npm and TypeScript for the sandboxes', async () =>
    makeToolchain((await docker.version()).Arch),
  );
  try {
    if (unreachable) await prepareBootstrap();
    await step(`Making ${tag}; takes about a minute`, async () =>
      unreachable
        ? importTarball(docker, await baseTarball(toolchain.folder), tag)
        : buildFromRegistry(docker, toolchain.folder, tag),
    );
  } finally {
    await toolchain.remove();
  }
}
