import { StatusResponse } from '../../protocol/job.ts';
import { baseUrl } from '../base-url.ts';
import { EXAMPLE_STATUS } from '../examples.ts';
import { findState } from '../find-job.ts';
import { jobLinks } from '../links.ts';
import type { Api, App } from '../options.ts';
import { JobParams, NoQuery } from '../schemas.ts';

export function statusRoute(app: App, api: Api): void {
  app.get(
    '/status/:id',
    {
      schema: { params: JobParams, querystring: NoQuery, response: { 200: StatusResponse } },
      config: {
        docs: {
          id: 'getStatus',
          tag: 'Jobs',
          summary: 'How a job is',
          answer: 'Its status, its times, and where its output is once there is one.',
          example: EXAMPLE_STATUS,
          errors: ['JOB_NOT_FOUND'],
        },
      },
    },
    async (request) => {
      const job = await findState(api.store, request.params.id);
      const links = jobLinks(baseUrl(request, api.config), job.id);
      return {
        job_id: job.id,
        status: job.status,
        output: job.output ? api.store.artifacts.outputPath(job.id) : null,
        download_link: job.output ? links.download : null,
        logs_link: links.logs,
        created: job.created,
        started: job.started,
        completed: job.completed,
        error: job.error,
      };
    },
  );
}
