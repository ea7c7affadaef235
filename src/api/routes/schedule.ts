import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import { ScheduleRequest, ScheduleResponse } from '../../protocol/job.ts';
import { scheduleJob } from '../../store/schedule-job.ts';
import { acceptRequest, inlineBytes } from '../accept-request.ts';
import { baseUrl } from '../base-url.ts';
import { bodyHash } from '../body-hash.ts';
import { EXAMPLE_REQUEST, EXAMPLE_SCHEDULED } from '../examples.ts';
import { Inputs } from '../inputs.ts';
import { parseJsonObject } from '../json.ts';
import { jobLinks } from '../links.ts';
import type { Api, App } from '../options.ts';
import { readMultipart, type ScheduleBody, type StageFile } from '../read-schedule-body.ts';
import { NoQuery } from '../schemas.ts';
import { checked } from '../validate.ts';

export function scheduleRoute(app: App, api: Api): void {
  app.post(
    '/schedule',
    {
      schema: { querystring: NoQuery, response: { 202: ScheduleResponse } },
      config: {
        docs: {
          id: 'scheduleJob',
          tag: 'Jobs',
          summary: 'Schedule a job',
          description:
            'The job is durable before the answer is sent. Large input files go as multipart/form-data: a part `request` with the JSON, and parts `files` whose filename is the path, or `files[PATH]`.',
          answer: 'The job is scheduled; with an Idempotency-Key that was used before, the job of that time.',
          example: EXAMPLE_SCHEDULED,
          headers: {
            'Idempotency-Key': 'Makes a retry safe: 1 to 255 visible characters, one for each job.',
          },
          bodies: {
            'application/json': { schema: ScheduleRequest, example: EXAMPLE_REQUEST },
            'multipart/form-data': { schema: MultipartForm },
          },
          errors: [
            'MODEL_NOT_CONFIGURED',
            'MODEL_UNKNOWN',
            'RUNBOOK_EMPTY',
            'LIMIT_ABOVE_CEILING',
            'PRIVILEGES_NOT_ALLOWED',
            'IDEMPOTENCY_KEY_REUSED',
            'QUEUE_FULL',
          ],
        },
      },
    },
    async (request, reply) => {
      const key = idempotencyKey(request);
      const inputs = new Inputs(api);
      try {
        const body = await readBody(request, api, inputs.write);
        const facts = { config: api.config, rootIsSafe: api.rootIsSafe ?? false, uploads: body.uploads };
        const accepted = acceptRequest(body.request, facts);
        for (const file of body.request.files ?? []) {
          await inputs.write(file.path, inlineBytes(file), file.executable);
        }
        const { job } = await scheduleJob(api.store, {
          ...accepted,
          inputs: inputs.take(),
          idempotency: key === null ? null : { key, bodyHash: await bodyHash(body) },
        });
        const links = jobLinks(baseUrl(request, api.config), job.id);
        request.log.info({ job_id: job.id }, 'scheduled');
        return reply.code(202).header('location', links.status).send({
          job_id: job.id,
          status: job.status,
          status_link: links.status,
          logs_link: links.logs,
          events_link: links.events,
          desktop_link: links.desktop,
        });
      } finally {
        await inputs.discard();
      }
    },
  );
}

/** How a multipart body looks to the document's readers. */
const MultipartForm = z
  .object({
    request: ScheduleRequest,
    files: z
      .array(z.string())
      .describe('The bytes of input files; the filename of each is its path.')
      .optional(),
  })
  .meta({ id: 'ScheduleForm' });

async function readBody(request: FastifyRequest, { config }: Api, stage: StageFile): Promise<ScheduleBody> {
  if (request.isMultipart()) {
    const limits = {
      maxJsonBytes: config.MAX_BODY_MB * 2 ** 20,
      maxUploadBytes: config.MAX_UPLOAD_MB * 2 ** 20,
    };
    return readMultipart(request, limits, stage);
  }
  const json = request.body ?? parseJsonObject(Buffer.alloc(0));
  return { request: checked(ScheduleRequest, json, 'body'), uploads: [] };
}

/** The Idempotency-Key header. */
function idempotencyKey({ headers }: FastifyRequest): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new CodedError('MALFORMED_REQUEST', 'Idempotency-Key: expected 1 to 255 visible ASCII characters');
}
