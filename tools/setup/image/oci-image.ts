import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { baseImage, defaultImage } from '../../../src/sandbox/image.ts';
import { findImage, type ImageConfig } from '../../../src/sandbox/oci/images.ts';
import { imageFolder, type OciStore } from '../../../src/sandbox/oci/store.ts';
import { canInstallPackages } from '../engine/host.ts';
import { locked } from '../lock.ts';
import { SetupError, step } from '../output.ts';
import { baseTarball, prepareBootstrap } from './from-packages.ts';
import { removeOldOciImages } from './oci-clean.ts';
import { makeLayer } from './oci-layer.ts';
import { addImage, removeUnfinished, unpackInto } from './oci-store.ts';
import { withContext } from './sandbox.ts';
import { makeToolchain } from './toolchain.ts';

/**
 * The sandbox image of these sources in the store of the engine oci, made if it is not there. What a Docker engine
 * has already is taken from it.
 * @param docker - an engine that answers, if there is one.
 * @returns the image's name
 */
export async function ensureOciImage(store: OciStore, docker: Docker | undefined): Promise<string> {
  const name = process.env.SANDBOX_IMAGE ?? defaultImage();
  if (await findImage(store, name)) return name;
  return locked(join(store.folder, 'image.lock'), async () => {
    if (await findImage(store, name)) return name;
    await removeUnfinished(store);
    if (process.env.SANDBOX_IMAGE) {
      await takeFromDocker(store, docker, name);
      return name;
    }
    const base = baseImage();
    if (!(await findImage(store, base))) await addBase(store, docker, base);
    await step(`Putting sandboxd into the sandbox image ${name}, for the engine oci`, () =>
      withContext((context) =>
        addImage(store, name, async (folder) => {
          const rootfs = join(imageFolder(store, base), 'rootfs');
          return { base, ...(await makeLayer(store, context, rootfs, folder)) };
        }),
      ),
    );
    await removeOldOciImages(store, [base, name]);
    return name;
  });
}

async function addBase(store: OciStore, docker: Docker | undefined, name: string): Promise<void> {
  const unpack = (tarball: Readable) =>
    addImage(store, name, async (folder) => {
      await unpackInto(store, tarball, join(folder, 'rootfs'));
      return { base: null, env: [], argv: [], cwd: '/' };
    });
  if (docker && (await configOf(docker, name))) {
    await step(`Taking ${name} from the Docker engine`, () => exported(docker, name, unpack));
    return;
  }
  if (!canInstallPackages()) {
    throw new SetupError(
      'The sandbox image cannot be made: without Docker it takes root on Debian or Ubuntu. Run this as root there, or use Docker (SANDBOX_DRIVER=docker).',
    );
  }
  const toolchain = await step('Fetching Node.js, npm and TypeScript for the sandboxes', () =>
    makeToolchain(process.arch),
  );
  try {
    await prepareBootstrap();
    await step(`Making ${name} from Debian's packages; takes a few minutes`, async () =>
      unpack(await baseTarball(toolchain.folder)),
    );
  } finally {
    await toolchain.remove();
  }
}

/** One that the operator names: whatever a Docker engine knows under that name. */
async function takeFromDocker(store: OciStore, docker: Docker | undefined, name: string): Promise<void> {
  const config = docker && (await configOf(docker, name));
  if (!docker || !config) {
    throw new SetupError(
      `SANDBOX_IMAGE is ${name}, which is neither in ${store.folder} nor on a Docker engine to take it from: pull or build it there, or unset it.`,
    );
  }
  await step(`Taking ${name} from the Docker engine`, () =>
    exported(docker, name, (tarball) =>
      addImage(store, name, async (folder) => {
        await unpackInto(store, tarball, join(folder, 'rootfs'));
        return config;
      }),
    ),
  );
}

/** What an image of a Docker engine says of its containers; null where the engine does not have it. */
async function configOf(docker: Docker, name: string): Promise<ImageConfig | null> {
  try {
    const { Config } = await docker.getImage(name).inspect();
    const entry = Config.Entrypoint ?? [];
    return {
      base: null,
      env: Config.Env ?? [],
      argv: [...(Array.isArray(entry) ? entry : [entry]), ...(Config.Cmd ?? [])],
      cwd: Config.WorkingDir || '/',
    };
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return null;
    throw error;
  }
}

/** Hands the file system of an image over as a tarball, through a container that is never started. */
async function exported<T>(docker: Docker, name: string, use: (tarball: Readable) => Promise<T>): Promise<T> {
  const container = await docker.createContainer({ Image: name, Cmd: ['true'], NetworkDisabled: true });
  try {
    return await use((await container.export()) as Readable);
  } finally {
    await container.remove({ force: true });
  }
}
