import { z } from 'zod';
import { Id } from '../../protocol/ids.ts';
import { type Job, JobStatus } from '../../protocol/job.ts';
import { pauseJob } from '../../store/pause-job.ts';
import { resumeJob } from '../../store/resume-job.ts';
import { EXAMPLE_ID } from '../examples.ts';
import type { RouteDocs } from '../openapi/route-docs.ts';
import type { Api, App } from '../options.ts';
import { JobParams, NoQuery } from '../schemas.ts';

const PauseResponse = z
  .object({
    job_id: Id,
    status: JobStatus,
    paused: z.boolean().describe('Whether it is to be paused; its status follows before its next step.'),
  })
  .meta({ id: 'PauseResponse' });

const DOCS = { tag: 'While it runs', errors: ['JOB_NOT_FOUND', 'JOB_ENDED'] } satisfies Partial<RouteDocs>;
const SCHEMA = { params: JobParams, querystring: NoQuery, response: { 200: PauseResponse } };

const answer = ({ id, status, pause_requested }: Job) => ({ job_id: id, status, paused: pause_requested });

export function pauseRoute(app: App, api: Api): void {
  app.post(
    '/pause/:id',
    {
      schema: SCHEMA,
      config: {
        docs: {
          ...DOCS,
          id: 'pauseJob',
          summary: 'Stop before the next step',
          description: 'Sandbox, files and processes stay. Pausing twice is not an error. Takes no body.',
          answer: 'The job pauses before its next step.',
          example: { job_id: EXAMPLE_ID, status: 'running', paused: true },
        },
      },
    },
    async (request) => answer(await pauseJob(api.store, request.params.id)),
  );
}

export function resumeRoute(app: App, api: Api): void {
  app.post(
    '/resume/:id',
    {
      schema: SCHEMA,
      config: {
        docs: {
          ...DOCS,
          id: 'resumeJob',
          summary: 'Go on after a pause',
          description: 'Takes no body.',
          answer: 'The job goes on.',
          example: { job_id: EXAMPLE_ID, status: 'waiting', paused: false },
          errors: [...DOCS.errors, 'JOB_NOT_PAUSED'],
        },
      },
    },
    async (request) => answer(await resumeJob(api.store, request.params.id)),
  );
}
