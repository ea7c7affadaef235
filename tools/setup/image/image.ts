import { join } from 'node:path';
import type Docker from 'dockerode';
import { baseImage, defaultImage } from '../../../src/sandbox/image.ts';
import type { OciStore } from '../../../src/sandbox/oci/store.ts';
import { locked } from '../lock.ts';
import { SetupError, step } from '../output.ts';
import { TOOLS_DATA } from '../root.ts';
import { makeBase } from './base.ts';
import { removeOldImages } from './clean.ts';
import { makeSandboxImage } from './sandbox.ts';

/**
 * The sandbox image of these sources on a Docker engine, made if it is not there: the base (minutes, seldom), then sandboxd (seconds).
 * With SANDBOX_IMAGE set that one must be there, and nothing is made.
 * @param store - where the engine oci may have the base already.
 * @returns the image's tag
 */
export async function ensureImage(docker: Docker, store: OciStore): Promise<string> {
  const given = process.env.SANDBOX_IMAGE;
  if (given) {
    if (await has(docker, given)) return given;
    throw new SetupError(
      `SANDBOX_IMAGE is ${given}, which the engine does not have: pull or build it, or unset it.`,
    );
  }
  const image = defaultImage();
  if (await has(docker, image)) return image;
  return locked(join(TOOLS_DATA, 'image.lock'), async () => {
    if (await has(docker, image)) return image;
    const base = baseImage();
    if (!(await has(docker, base))) await makeBase(docker, store, base);
    await step(`Putting sandboxd into the sandbox image ${image}`, () =>
      makeSandboxImage(docker, base, image),
    );
    await removeOldImages(docker, [base, image]);
    return image;
  });
}

/** Whether the engine has an image. */
async function has(docker: Docker, image: string): Promise<boolean> {
  try {
    await docker.getImage(image).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}
