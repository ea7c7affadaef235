import { CodedError } from '../../protocol/errors.ts';
import { isFinal, type OutputInfo } from '../../protocol/job.ts';
import type { JobState } from '../../store/peek-job.ts';
import { findState } from '../find-job.ts';
import type { Api, App } from '../options.ts';
import { JobParams, NoQuery } from '../schemas.ts';
import { isUnchanged, sendBytes } from '../send-bytes.ts';

export function downloadRoute(app: App, api: Api): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/download/:id',
    exposeHeadRoute: false,
    schema: { params: JobParams, querystring: NoQuery },
    config: {
      docs: {
        id: 'downloadOutput',
        tag: 'Jobs',
        summary: 'The output as a zip',
        headers: {
          Range: 'A part of it, to go on with a download that was cut.',
          'If-Range': 'The ETag of the download that was cut.',
          'If-None-Match': 'The ETag of a copy at hand.',
        },
        answers: {
          200: { description: 'The zip.', type: 'application/zip', form: 'binary' },
          206: { description: 'The part asked for.', type: 'application/zip', form: 'binary' },
          304: { description: 'The copy at hand is the same.' },
        },
        errors: ['JOB_NOT_FOUND', 'NO_OUTPUT', 'OUTPUT_NOT_READY', 'OUTPUT_EXPIRED', 'RANGE_NOT_SATISFIABLE'],
      },
    },
    handler: async (request, reply) => {
      const job = await findState(api.store, request.params.id);
      const output = outputOf(job);
      const etag = `"${output.sha256}"`;
      reply.header('etag', etag).header('cache-control', 'private, no-cache');
      if (isUnchanged(request, etag)) return reply.code(304).send();
      reply
        .header('content-type', 'application/zip')
        .header('content-disposition', `attachment; filename="${job.id}.zip"`);
      return sendBytes(request, reply, output.bytes, ({ from, to }) =>
        api.store.artifacts.openOutput(job.id, { start: from, end: to - 1 }),
      );
    },
  });
}

/**
 * The output of a job.
 * @throws CodedError OUTPUT_NOT_READY, OUTPUT_EXPIRED or NO_OUTPUT.
 */
export function outputOf(job: JobState): OutputInfo {
  if (job.output_expired)
    throw new CodedError('OUTPUT_EXPIRED', 'the output was removed after its retention time');
  if (job.output) return job.output;
  // Until its sandbox is gone, what a failed or cancelled job leaves is on its way.
  if (isFinal(job.status) && job.sandbox !== null)
    throw new CodedError('OUTPUT_NOT_READY', `the job ended as ${job.status}; its output is being packed`);
  if (isFinal(job.status))
    throw new CodedError('NO_OUTPUT', `the job ended as ${job.status} and left no output`);
  throw new CodedError('OUTPUT_NOT_READY', `the job is ${job.status}; its output comes when it has ended`);
}
