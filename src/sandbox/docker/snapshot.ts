import type Docker from 'dockerode';
import { newId } from '../../protocol/ids.ts';
import { answered, engineAnswer } from './engine.ts';

const REPOSITORY = 'containerized-agent-snapshot';
const LABEL = 'containerized-agent.snapshot-of';

/** The image that is a snapshot. */
export const snapshotImage = (id: string): string => `${REPOSITORY}:${id}`;

/**
 * Keeps a container's files as an image of the engine, one layer above what it was made from. The engine stops the
 * container meanwhile.
 * @returns the snapshot's id.
 * @throws what the engine's client throws.
 */
export async function commitContainer(docker: Docker, ref: string, installation: string): Promise<string> {
  const id = newId();
  const changes = [`LABEL ${LABEL}=${JSON.stringify(installation)}`];
  await docker.getContainer(ref).commit({ repo: REPOSITORY, tag: id, pause: true, changes });
  return id;
}

export async function snapshotIds(docker: Docker, installation: string): Promise<string[]> {
  const filters = { label: [`${LABEL}=${installation}`] };
  const images = await answered(docker.listImages({ filters }));
  const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []);
  return tags
    .filter((tag) => tag.startsWith(`${REPOSITORY}:`))
    .map((tag) => tag.slice(REPOSITORY.length + 1));
}

/** Removes the image; while a container uses it the engine keeps it without its name, and the next removal takes it. */
export async function removeSnapshotImage(docker: Docker, id: string): Promise<void> {
  await answered(docker.getImage(snapshotImage(id)).remove({ force: true })).catch((error) => {
    if (engineAnswer(error).status !== 404) throw error;
  });
  await answered(docker.pruneImages({ filters: { dangling: ['true'], label: [LABEL] } }));
}
