import type Docker from 'dockerode';
import { BASE_REPOSITORY, SANDBOX_REPOSITORY } from '../../../src/sandbox/image.ts';

/** Other checkouts of the project on the same engine have images of their own: so many stay. A base is 2 GB, sandboxd 10 MB. */
const KEPT = { [BASE_REPOSITORY]: 4, [SANDBOX_REPOSITORY]: 12 };

/** Removes images of ours that newer ones have replaced, unless a container uses them. */
export async function removeOldImages(docker: Docker, current: string[]): Promise<void> {
  for (const [repository, kept] of Object.entries(KEPT).reverse()) {
    const images = await docker.listImages({ filters: { reference: [repository] } });
    const old = images
      .sort((a, b) => b.Created - a.Created)
      .flatMap(({ RepoTags }) => RepoTags ?? [])
      .filter((tag) => tag.startsWith(`${repository}:`) && !current.includes(tag))
      .slice(kept - 1);
    // One that is in use is refused by the engine, and goes the next time.
    for (const tag of old) await docker.getImage(tag).remove().catch(ignoreConflict);
  }
}

function ignoreConflict(error: { statusCode?: number }): void {
  if (error.statusCode !== 409 && error.statusCode !== 404) throw error;
}
