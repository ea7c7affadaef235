import { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import { IMAGE_ID } from '../../protocol/ids.ts';
import type { JobState } from '../../store/peek-job.ts';
import { findState } from '../find-job.ts';
import type { Api, App } from '../options.ts';
import { JobParams, NoQuery } from '../schemas.ts';
import { isUnchanged } from '../send-bytes.ts';

const PNG_START = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const YEAR_S = 31_536_000;
const DAY_MS = 86_400_000;

const ImageParams = JobParams.extend({
  image: z
    .string()
    .regex(IMAGE_ID, 'expected 32 hexadecimal digits')
    .describe("An image's id, as an event names it."),
});

/** Images that a job's events name: screenshots and plots. They are kept as long as the job's output is. */
export function imageRoute(app: App, api: Api): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/images/:id/:image',
    exposeHeadRoute: false,
    schema: { params: ImageParams, querystring: NoQuery },
    config: {
      docs: {
        id: 'getImage',
        tag: 'Jobs',
        summary: "An image that a job's event names",
        description:
          'What the agent was shown: screenshots, plots. Its bytes never change, so a copy may be kept for good. At most 3.7 MB.',
        headers: { 'If-None-Match': 'The ETag of a copy at hand.' },
        answers: {
          200: [
            { description: 'The image.', type: 'image/png', form: 'binary' },
            { description: 'The image.', type: 'image/jpeg', form: 'binary' },
          ],
          304: { description: 'The copy at hand is the same.' },
        },
        errors: ['JOB_NOT_FOUND', 'IMAGE_NOT_FOUND', 'IMAGE_EXPIRED'],
      },
    },
    handler: async (request, reply) => {
      const { id, image } = request.params;
      const job = await findState(api.store, id);
      const bytes = await api.store.artifacts.loadImage(id, image);
      if (bytes === null) throw missingImage(job, image, api.config.RETENTION_DAYS);
      const etag = `"${image}"`;
      reply.header('etag', etag).header('cache-control', `private, max-age=${YEAR_S}, immutable`);
      if (isUnchanged(request, etag)) return reply.code(304).send();
      reply
        .header(
          'content-type',
          bytes.subarray(0, PNG_START.length).equals(PNG_START) ? 'image/png' : 'image/jpeg',
        )
        .header('content-security-policy', "default-src 'none'; sandbox")
        .header('content-length', bytes.length);
      return reply.send(request.method === 'HEAD' ? undefined : bytes);
    },
  });
}

function missingImage({ completed }: JobState, image: string, retentionDays: number): CodedError {
  const age = completed === null ? 0 : Date.now() - Date.parse(completed);
  return age > retentionDays * DAY_MS
    ? new CodedError('IMAGE_EXPIRED', 'the images of the job were removed after their retention time')
    : new CodedError('IMAGE_NOT_FOUND', `the job has no image ${image}`);
}
