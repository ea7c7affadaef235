import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import { isFinal, type Job } from '../../protocol/job.ts';
import { KeepRequest, SandboxesPage, SandboxRequest, SandboxState } from '../../protocol/sandbox-api.ts';
import { cancelJob } from '../../store/cancel-job.ts';
import { getJob } from '../../store/get-job.ts';
import { listJobs } from '../../store/list-jobs.ts';
import { checkSandboxCount, keepSandbox, readLeases } from '../../store/sandbox-leases.ts';
import { scheduleJob } from '../../store/schedule-job.ts';
import { inlineBytes } from '../accept-request.ts';
import { baseUrl } from '../base-url.ts';
import { EXAMPLE_SANDBOX } from '../examples.ts';
import { Inputs } from '../inputs.ts';
import type { Api, App } from '../options.ts';
import { acceptSandbox } from '../sandboxes/accept-sandbox.ts';
import { awaitReady } from '../sandboxes/await-ready.ts';
import { stateOf } from '../sandboxes/state.ts';
import { flagOff, JobParams, NoQuery, wholeNumberOr } from '../schemas.ts';

const START_MS = 30_000;
const tag = 'Sandboxes' as const;

const SandboxesQuery = z.strictObject({
  all: flagOff().describe('Those that have ended, too.'),
  limit: wholeNumberOr(100, 1, 1_000).describe('Most sandboxes of an answer.'),
  cursor: z.string().min(1).max(500).optional().describe('The next_cursor of the answer before.'),
});

/** Sandboxes without an agent: made, listed, kept and ended. What they do is done by the calls of every live sandbox. */
export function sandboxesRoutes(app: App, api: Api): void {
  const state = async (job: Job, request: FastifyRequest) => {
    const leases = await readLeases(api.store, [job.id]);
    return stateOf(job, leases.get(job.id), baseUrl(request, api.config));
  };
  app.post(
    '/sandboxes',
    {
      schema: {
        querystring: NoQuery,
        body: SandboxRequest,
        response: { 201: SandboxState, 202: SandboxState },
      },
      config: {
        docs: {
          id: 'makeSandbox',
          tag,
          summary: 'Make a sandbox',
          description:
            'An isolated machine without an agent: commands, files, desktop, terminals and ports by the same calls as those of a running job. It ends when it has not been used for `idle_s`, at the latest after `lifetime_s`; then what its workspace held is kept like the output of a job, at /files and /download.',
          answer: 'It is running (201), or still starting after 30 s (202).',
          example: EXAMPLE_SANDBOX,
          bodies: { 'application/json': { schema: SandboxRequest, example: { idle_s: 900 } } },
          errors: ['TOO_MANY_SANDBOXES', 'LIMIT_ABOVE_CEILING', 'PRIVILEGES_NOT_ALLOWED', 'QUEUE_FULL'],
        },
      },
    },
    async (request, reply) => {
      await checkSandboxCount(api.store, api.config.MAX_SANDBOXES);
      const facts = { config: api.config, rootIsSafe: api.rootIsSafe ?? false, uploads: [] };
      const accepted = acceptSandbox(request.body, facts);
      const inputs = new Inputs(api);
      let id: string;
      try {
        for (const file of request.body.files ?? []) {
          await inputs.write(file.path, inlineBytes(file), file.executable);
        }
        const scheduled = await scheduleJob(api.store, {
          ...accepted,
          inputs: inputs.take(),
          idempotency: null,
        });
        id = scheduled.job.id;
      } finally {
        await inputs.discard();
      }
      request.log.info({ sandbox: id }, 'a sandbox is asked for');
      const made = await awaitReady(api.store, id, START_MS, api.streams.signalOf(reply));
      if (made === null) throw new CodedError('JOB_NOT_FOUND', `the sandbox ${id} was removed`);
      const base = baseUrl(request, api.config);
      return reply
        .code(made.lease?.ready && !isFinal(made.job.status) ? 201 : 202)
        .header('location', `${base}/sandboxes/${id}`)
        .send(stateOf(made.job, made.lease, base));
    },
  );
  app.get(
    '/sandboxes',
    {
      schema: { querystring: SandboxesQuery, response: { 200: SandboxesPage } },
      config: {
        docs: {
          id: 'listSandboxes',
          tag,
          summary: 'List sandboxes, newest first',
          answer: 'A page of those that live; next_cursor is null on the last one.',
          example: { sandboxes: [EXAMPLE_SANDBOX], next_cursor: null },
          errors: [],
        },
      },
    },
    async (request) => {
      const { all, limit, cursor } = request.query;
      const { jobs, nextCursor } = await listJobs(api.store, {
        kind: 'sandboxes',
        limit,
        cursor,
        ...(!all && { status: ['scheduled', 'running', 'waiting'] as const }),
      });
      const leases = await readLeases(
        api.store,
        jobs.map(({ id }) => id),
      );
      const base = baseUrl(request, api.config);
      return {
        sandboxes: jobs.map((job) => stateOf(job, leases.get(job.id), base)),
        next_cursor: nextCursor,
      };
    },
  );
  app.get(
    '/sandboxes/:id',
    {
      schema: { params: JobParams, querystring: NoQuery, response: { 200: SandboxState } },
      config: {
        docs: {
          id: 'getSandbox',
          tag,
          summary: 'How a sandbox is',
          description: 'To ask is no use of it.',
          answer: 'Its state.',
          example: EXAMPLE_SANDBOX,
          errors: ['SANDBOX_NOT_FOUND'],
        },
      },
    },
    async (request) => state(await findSandbox(api, request.params.id), request),
  );
  app.post(
    '/sandboxes/:id/keep',
    {
      schema: { params: JobParams, querystring: NoQuery, body: KeepRequest, response: { 200: SandboxState } },
      config: {
        docs: {
          id: 'keepSandbox',
          tag,
          summary: 'Put the end of a sandbox off',
          description: 'As any use of it does; with `idle_s`, for another idle time from now on.',
          answer: 'Its state.',
          example: EXAMPLE_SANDBOX,
          bodies: { 'application/json': { schema: KeepRequest, example: {} } },
          errors: ['SANDBOX_NOT_FOUND', 'JOB_ENDED'],
        },
      },
    },
    async (request) => {
      const job = await findSandbox(api, request.params.id);
      if (isFinal(job.status)) throw new CodedError('JOB_ENDED', 'the sandbox has ended');
      await keepSandbox(api.store, job.id, request.body.idle_s);
      return state(job, request);
    },
  );
}

/** Ends a sandbox. Apart from the others, since it takes no body. */
export function deleteSandboxRoute(app: App, api: Api): void {
  app.delete(
    '/sandboxes/:id',
    {
      schema: { params: JobParams, querystring: NoQuery },
      config: {
        docs: {
          id: 'endSandbox',
          tag,
          summary: 'End a sandbox',
          description:
            'With every process in it, within 5 seconds. Nothing of it is kept. Twice is no error.',
          answers: { 204: { description: 'It has ended.' } },
          errors: ['SANDBOX_NOT_FOUND'],
        },
      },
    },
    async (request, reply) => {
      const { id } = await findSandbox(api, request.params.id);
      await cancelJob(api.store, id);
      return reply.code(204).send();
    },
  );
}

/** @throws CodedError SANDBOX_NOT_FOUND, also for a job with an agent. */
async function findSandbox({ store }: Api, id: string): Promise<Job> {
  const job = await getJob(store, id);
  if (job?.request.agent === 'none') return job;
  throw new CodedError('SANDBOX_NOT_FOUND', `there is no sandbox ${id}`);
}
