import { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import { CancelResponse } from '../../protocol/job.ts';
import { cancelJob } from '../../store/cancel-job.ts';
import { sendError } from '../error-handler.ts';
import { EXAMPLE_ID } from '../examples.ts';
import { missing } from '../find-job.ts';
import type { Api, App } from '../options.ts';
import { JobParams, NoQuery } from '../schemas.ts';

/**
 * What a refused cancellation says beyond its problem details. Here `status` is the job's, as in the answer to a
 * cancellation that succeeded; the number that problem details have in its place is the answer's own status.
 */
const Refused = CancelResponse.extend({ cancelled: z.literal(false) }).meta({ id: 'CancelRefused' });

export function cancelRoute(app: App, api: Api): void {
  app.post(
    '/cancel/:id',
    {
      schema: { params: JobParams, querystring: NoQuery, response: { 200: CancelResponse } },
      config: {
        docs: {
          id: 'cancelJob',
          tag: 'Jobs',
          summary: 'Stop a job',
          description: 'The sandbox and every process in it are gone within 5 seconds. Takes no body.',
          answer: 'It is cancelled, now or since an earlier call.',
          example: { job_id: EXAMPLE_ID, cancelled: true, status: 'cancelled' },
          errors: ['JOB_NOT_FOUND', 'JOB_ENDED'],
          problem: { status: 409, schema: Refused },
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const result = (await cancelJob(api.store, id)) ?? missing(id);
      const { status } = result.job;
      if (status === 'cancelled') return { job_id: id, cancelled: true, status };
      const error = new CodedError('JOB_ENDED', `the job has ended as ${status} and cannot be cancelled`);
      return sendError(api, error, request, reply, { job_id: id, cancelled: false, status });
    },
  );
}
