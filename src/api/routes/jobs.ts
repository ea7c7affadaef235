import { z } from 'zod';
import { type Job, JobStatus, JobsResponse } from '../../protocol/job.ts';
import { listJobs } from '../../store/list-jobs.ts';
import { baseUrl } from '../base-url.ts';
import { EXAMPLE_SUMMARY } from '../examples.ts';
import { jobLinks } from '../links.ts';
import type { Api, App } from '../options.ts';
import { repeated, wholeNumberOr } from '../schemas.ts';

const PROMPT_CHARS = 200;

const JobsQuery = z.strictObject({
  status: repeated(JobStatus).describe('Only jobs of this status; may be repeated.'),
  label: z
    .string()
    .min(1)
    .max(320)
    .optional()
    .describe('Only jobs with this label: `name`, or `name=value` (or `name:value`).'),
  limit: wholeNumberOr(100, 1, 1_000).describe('Most jobs of an answer.'),
  cursor: z.string().min(1).max(500).optional().describe('The next_cursor of the answer before.'),
});

export function jobsRoute(app: App, api: Api): void {
  app.get(
    '/jobs',
    {
      schema: { querystring: JobsQuery, response: { 200: JobsResponse } },
      config: {
        docs: {
          id: 'listJobs',
          tag: 'Jobs',
          summary: 'List jobs, newest first',
          answer: 'A page of jobs; next_cursor is null on the last one.',
          example: { jobs: [EXAMPLE_SUMMARY], next_cursor: null },
          errors: ['INVALID_REQUEST'],
        },
      },
    },
    async (request) => {
      const { status, label, limit, cursor } = request.query;
      const page = await listJobs(api.store, {
        limit,
        ...(status && { status }),
        ...(label !== undefined && { label: parseLabel(label) }),
        ...(cursor !== undefined && { cursor }),
      });
      const base = baseUrl(request, api.config);
      return { jobs: page.jobs.map((job) => summaryOf(job, base)), next_cursor: page.nextCursor };
    },
  );
}

/** `name`, `name=value` or `name:value`; a label's name has neither sign in it. */
export function parseLabel(text: string): { name: string; value?: string } {
  const at = text.search(/[=:]/);
  return at === -1 ? { name: text } : { name: text.slice(0, at), value: text.slice(at + 1) };
}

export function summaryOf(job: Job, base: string) {
  return {
    job_id: job.id,
    status: job.status,
    agent: job.request.agent,
    // Cut between characters, never through one.
    prompt: [...job.request.prompt.slice(0, 2 * PROMPT_CHARS)].slice(0, PROMPT_CHARS).join(''),
    labels: job.request.labels,
    created: job.created,
    started: job.started,
    completed: job.completed,
    error: job.error,
    status_link: jobLinks(base, job.id).status,
  };
}
