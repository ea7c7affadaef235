import { createHash } from 'node:crypto';
import { inspectImage, type JobImages } from '../agent/image.ts';
import { CodedError } from '../protocol/errors.ts';
import type { ImageRef, JobEvent } from '../protocol/events.ts';
import type { Store } from '../store/store.ts';

/** What one job may keep of images: a screenshot after each of some thousand steps. */
const MAX_JOB_BYTES = 512 * 1024 * 1024;
const ID_CHARACTERS = 32;

/** The images of a job, kept among its artifacts under the hash of their bytes. */
export function jobImages(store: Store, jobId: string, history: readonly JobEvent[]): JobImages {
  const kept = new Map<string, ImageRef>();
  for (const event of history)
    if (event.type === 'tool.result') for (const ref of event.data.images ?? []) kept.set(ref.id, ref);
  let bytesKept = [...kept.values()].reduce((sum, ref) => sum + ref.bytes, 0);
  return {
    async save(bytes) {
      const inspected = inspectImage(bytes);
      const id = createHash('sha256').update(bytes).digest('hex').slice(0, ID_CHARACTERS);
      const known = kept.get(id);
      if (known) return known;
      if (bytesKept + bytes.length > MAX_JOB_BYTES)
        throw new CodedError(
          'INVALID_ARGUMENT',
          `The job has ${bytesKept} bytes of images, the most it may.`,
        );
      bytesKept += bytes.length;
      await store.artifacts.saveImage(jobId, id, bytes);
      const ref: ImageRef = { id, ...inspected, bytes: bytes.length };
      kept.set(id, ref);
      return ref;
    },
    load: (ref) => store.artifacts.loadImage(jobId, ref.id),
  };
}
