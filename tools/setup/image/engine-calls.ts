import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { SetupError } from '../output.ts';

interface Progress {
  stream?: string;
  status?: string;
  error?: string;
}

/** Reads the engine's progress stream to its end. @throws SetupError with the engine's words and the last lines before them. */
export async function finished(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  onProgress: (progress: Progress) => void = () => undefined,
): Promise<Progress[]> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, all: Progress[]): void => {
      const failure = error?.message ?? all.find((progress) => progress.error)?.error;
      if (failure === undefined) {
        resolve(all);
        return;
      }
      const before = all.flatMap(({ stream: text }) => text?.trimEnd() || []).slice(-20);
      reject(new SetupError([`The engine could not make the image: ${failure}`, ...before].join('\n  ')));
    };
    docker.modem.followProgress(stream, done, onProgress);
  });
}

/** Imports a root file system as an image. The tag is given only when the whole of it has arrived. */
export async function importTarball(docker: Docker, tarball: Readable, tag: string): Promise<void> {
  const progress = await finished(docker, await docker.importImage(tarball));
  const id = progress.findLast(({ status }) => status?.startsWith('sha256:'))?.status;
  if (!id)
    throw new SetupError(`The engine did not name the image that it imported: ${JSON.stringify(progress)}`);
  const [repo = '', version = ''] = tag.split(':');
  await docker.getImage(id).tag({ repo, tag: version });
}

/** Builds an image from a folder's Dockerfile. */
export async function buildImage(
  docker: Docker,
  folder: string,
  options: Docker.ImageBuildOptions & { t: string },
  onLine?: (line: string) => void,
): Promise<void> {
  // The host's network: an engine may have none of its own for containers.
  const stream = await docker.buildImage(
    { context: folder, src: ['.'] },
    { networkmode: 'host', rm: true, forcerm: true, ...options },
  );
  await finished(docker, stream, ({ stream: text }) => text?.trim() && onLine?.(text.trim()));
}
