import { Readable } from 'node:stream';
import { z } from 'zod';
import { isFinal, LogsResponse, LogType } from '../../protocol/job.ts';
import { lastLines } from '../../store/last-lines.ts';
import { logSize, readLog } from '../../store/read-log.ts';
import type { Store } from '../../store/store.ts';
import { baseUrl } from '../base-url.ts';
import { EXAMPLE_LOGS } from '../examples.ts';
import { findState } from '../find-job.ts';
import { followLog } from '../follow-log.ts';
import { jobLinks } from '../links.ts';
import type { Api, App } from '../options.ts';
import { flagOff, JobParams } from '../schemas.ts';
import { sendBytes } from '../send-bytes.ts';

const FULL_LOG_BYTES = 2 ** 20;
const LINES = 1_000;

const LogsQuery = z.strictObject({ log_type: LogType.default('stdout').describe('Which of the two logs.') });
const LogParams = JobParams.extend({ log_type: LogType.describe('Which of the two logs.') });
const LogQuery = z.strictObject({
  follow: flagOff().describe('Keep the answer open until the job ends.'),
});

export function logsRoutes(app: App, api: Api): void {
  app.get(
    '/logs/:id',
    {
      schema: { params: JobParams, querystring: LogsQuery, response: { 200: LogsResponse } },
      config: {
        docs: {
          id: 'getLogs',
          tag: 'Jobs',
          summary: "The end of a job's log, and all of it if it is short",
          description: 'Works while the job runs. Bytes that are not UTF-8 are shown as U+FFFD.',
          answer: 'Its last 1000 lines; the whole text up to 1 MiB, else a link to it.',
          example: EXAMPLE_LOGS,
          errors: ['JOB_NOT_FOUND', 'INVALID_REQUEST'],
        },
      },
    },
    async (request) => {
      const { id } = await findState(api.store, request.params.id);
      const { log_type } = request.query;
      return {
        job_id: id,
        log_type,
        last_1000_lines: await lastLines(api.store, id, log_type, LINES),
        full_log: await fullLog(api.store, id, log_type),
        full_log_link: `${jobLinks(baseUrl(request, api.config), id).logs}/${log_type}`,
      };
    },
  );

  app.route({
    method: ['GET', 'HEAD'],
    url: '/logs/:id/:log_type',
    exposeHeadRoute: false,
    schema: { params: LogParams, querystring: LogQuery },
    config: {
      docs: {
        id: 'getFullLog',
        tag: 'Jobs',
        summary: 'The full log as text',
        description: 'Streamed, as it was written. A Range counts in bytes.',
        headers: { Range: 'A part of it: `bytes=0-999`, `bytes=1000-`, `bytes=-1000`. Not with follow.' },
        answers: {
          200: { description: 'The log.', type: 'text/plain', form: 'text', example: 'hello\n' },
          206: { description: 'The part asked for.', type: 'text/plain', form: 'text', example: 'hello\n' },
        },
        errors: ['JOB_NOT_FOUND', 'INVALID_REQUEST', 'RANGE_NOT_SATISFIABLE'],
      },
    },
    handler: async (request, reply) => {
      const job = await findState(api.store, request.params.id);
      const { log_type } = request.params;
      reply
        .header('content-type', 'text/plain; charset=utf-8')
        .header('cache-control', 'no-cache, no-transform')
        .header('x-accel-buffering', 'no');
      if (request.query.follow && !isFinal(job.status)) {
        if (request.method === 'HEAD') return reply.send();
        request.raw.socket.setTimeout(0);
        const bytes = followLog(
          api.store,
          { jobId: job.id, type: log_type, from: 0 },
          api.streams.signalOf(reply),
        );
        return reply.send(Readable.from(headersFirst(bytes), { highWaterMark: 1 }));
      }
      const size = await logSize(api.store, job.id, log_type);
      return sendBytes(request, reply, size, (range) => readLog(api.store, job.id, log_type, range));
    },
  });
}

/** Sends the headers before there is anything to say: a client must not wait for them as long as the job is silent. */
async function* headersFirst(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.alloc(0);
  yield* bytes;
}

async function fullLog(store: Store, id: string, type: LogType): Promise<string | null> {
  const size = await logSize(store, id, type);
  if (size > FULL_LOG_BYTES) return null;
  const chunks: Buffer[] = [];
  for await (const chunk of readLog(store, id, type, { from: 0, to: size })) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
