import type Docker from 'dockerode';
import { BASE_REPOSITORY, SANDBOX_REPOSITORY } from '../../../src/sandbox/image.ts';

/** Other checkouts of the project on the same engine have images of their own: so many of each kind stay. */
const KEPT = 3;

/** Removes images of ours that newer ones have replaced, unless a container uses them. */
export async function removeOldImages(docker: Docker, current: string[]): Promise<void> {
  for (const repository of [SANDBOX_REPOSITORY, BASE_REPOSITORY]) {
    const images = await docker.listImages({ filters: { reference: [repository] } });
    const old = images
      .sort((a, b) => b.Created - a.Created)
      .flatMap(({ RepoTags }) => RepoTags ?? [])
      .filter((tag) => tag.startsWith(`${repository}:`) && !current.includes(tag))
      .slice(KEPT - 1);
    // One that is in use is refused by the engine, and goes the next time.
    for (const tag of old) await docker.getImage(tag).remove().catch(ignoreConflict);
  }
}

function ignoreConflict(error: { statusCode?: number }): void {
  if (error.statusCode !== 409 && error.statusCode !== 404) throw error;
}
