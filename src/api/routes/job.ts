import { isFinal, JobResponse } from '../../protocol/job.ts';
import { readNotebook } from '../../store/read-notebook.ts';
import { baseUrl } from '../base-url.ts';
import { EXAMPLE_JOB } from '../examples.ts';
import { findJob } from '../find-job.ts';
import { jobLinks } from '../links.ts';
import type { Api, App } from '../options.ts';
import { JobParams, NoQuery } from '../schemas.ts';

export function jobRoute(app: App, api: Api): void {
  app.get(
    '/job/:id',
    {
      schema: { params: JobParams, querystring: NoQuery, response: { 200: JobResponse } },
      config: {
        docs: {
          id: 'getJob',
          tag: 'Jobs',
          summary: 'All there is to know of a job',
          answer:
            "The request as accepted (of secrets the names alone), attempts, where it runs, usage, limits, the agent's plan and notes, links.",
          example: EXAMPLE_JOB,
          errors: ['JOB_NOT_FOUND'],
        },
      },
    },
    async (request) => {
      const job = await findJob(api.store, request.params.id);
      const { plan, notes } = await readNotebook(api.store, job.id);
      const { download, cancel, ...links } = jobLinks(baseUrl(request, api.config), job.id);
      return {
        job_id: job.id,
        status: job.status,
        request: job.request,
        created: job.created,
        started: job.started,
        completed: job.completed,
        error: job.error,
        attempts: job.attempt,
        worker: job.worker_id,
        sandbox: sandboxId(job.sandbox),
        usage: job.usage,
        limits: job.request.limits,
        paused: job.pause_requested,
        plan,
        notes,
        output: job.output,
        links: { ...links, ...(job.output && { download }), ...(!isFinal(job.status) && { cancel }) },
      };
    },
  );
}

function sandboxId(handle: unknown): string | null {
  const id = typeof handle === 'object' && handle !== null && 'id' in handle ? handle.id : null;
  return typeof id === 'string' ? id : null;
}
