import { createHash } from 'node:crypto';
import { inspectImage, type JobImages } from '../agent/image.ts';
import { CodedError } from '../protocol/errors.ts';
import type { Store } from '../store/store.ts';

/** What one job may keep of images: a screenshot after each of some thousand steps. */
const MAX_JOB_BYTES = 512 * 1024 * 1024;
const ID_CHARACTERS = 32;

/**
 * The images of a job, kept among its artifacts under the hash of their bytes. What earlier runs of the job kept is
 * asked of the artifacts before the first is saved: a run's history lacks the events that a summary covers.
 * @param most bytes of all of them.
 */
export function jobImages(
  { artifacts }: Pick<Store, 'artifacts'>,
  jobId: string,
  most = MAX_JOB_BYTES,
): JobImages {
  let known: Promise<Map<string, number>> | null = null;
  return {
    async save(bytes) {
      const inspected = inspectImage(bytes);
      known ??= artifacts.imageSizes(jobId);
      const sizes = await known;
      const id = createHash('sha256').update(bytes).digest('hex').slice(0, ID_CHARACTERS);
      const ref = { id, ...inspected, bytes: bytes.length };
      if (sizes.has(id)) return ref;
      const kept = [...sizes.values()].reduce((sum, size) => sum + size, 0);
      if (kept + bytes.length > most)
        throw new CodedError(
          'INVALID_ARGUMENT',
          `The job has ${kept} bytes of images of ${most} that it may have, and this one has ${bytes.length}.`,
        );
      sizes.set(id, bytes.length);
      await artifacts.saveImage(jobId, id, bytes);
      return ref;
    },
    load: (ref) => artifacts.loadImage(jobId, ref.id),
  };
}
