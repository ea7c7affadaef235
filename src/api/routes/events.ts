import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { EventsPage, type JobEvent } from '../../protocol/events.ts';
import { isFinal } from '../../protocol/job.ts';
import type { JobState } from '../../store/peek-job.ts';
import { readEvents } from '../../store/read-events.ts';
import { accepts } from '../accepts.ts';
import { baseUrl } from '../base-url.ts';
import { EXAMPLE_EVENT } from '../examples.ts';
import { findState } from '../find-job.ts';
import { followEvents } from '../follow-events.ts';
import { withImageLinks } from '../images/image-links.ts';
import type { Api, App } from '../options.ts';
import { JobParams, wholeNumber } from '../schemas.ts';
import { invalid } from '../validate.ts';

/** How long a browser waits before it connects again, in milliseconds. */
const RETRY_MS = 2_000;
const MAX_SEQ = 1e12;

const EventsQuery = z.strictObject({
  after: wholeNumber(0, MAX_SEQ).optional().describe('Only events after this sequence number.'),
  limit: wholeNumber(1, 1_000).optional().describe('Gives a JSON page of at most so many events.'),
});

export function eventsRoute(app: App, api: Api): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/events/:id',
    exposeHeadRoute: false,
    schema: { params: JobParams, querystring: EventsQuery, response: { 200: EventsPage } },
    config: {
      docs: {
        id: 'getEvents',
        tag: 'While it runs',
        summary: "Follow a job's events",
        description:
          'Server-Sent Events from the first one or after `Last-Event-ID` or `?after=`: each has its sequence number as `id`, its kind as `event` and itself as `data`. The stream ends with the job, after its `job.ended`; asked for what comes after that, the answer is 204. Comments keep a silent stream alive. With `Accept: application/json` or `?limit=` it is a JSON page.',
        answer: 'The events: a page, or a stream.',
        example: { events: [EXAMPLE_EVENT], next_after: 1, ended: false },
        headers: { 'Last-Event-ID': 'The sequence number of the last event that the client has.' },
        answers: {
          200: {
            description: 'The events: a page, or a stream.',
            type: 'text/event-stream',
            form: 'text',
            example: `id: 1\nevent: job.scheduled\ndata: ${JSON.stringify(EXAMPLE_EVENT)}\n\n`,
          },
          204: { description: 'The job has ended, and there is nothing after the given number.' },
        },
        errors: ['JOB_NOT_FOUND', 'INVALID_REQUEST', 'NOT_ACCEPTABLE'],
      },
    },
    handler: async (request, reply) => {
      const job = await findState(api.store, request.params.id);
      const after = request.query.after ?? lastEventId(request) ?? 0;
      if (after > job.last_seq) {
        throw invalid(
          [
            {
              path: 'after',
              message: `expected at most ${job.last_seq}, the newest event's number; found ${after}`,
            },
          ],
          'query',
        );
      }
      reply.header('vary', 'Accept');
      const base = baseUrl(request, api.config);
      const type = accepts(request, ['text/event-stream', 'application/json']);
      if (type === 'application/json' || request.query.limit !== undefined) {
        return pageOf(api, job, after, request.query.limit ?? 100, base);
      }
      return stream(api, job, after, base, request, reply);
    },
  });
}

async function pageOf({ store }: Api, job: JobState, after: number, limit: number, base: string) {
  const found = await readEvents(store, job.id, { after, limit });
  const events = found.map((event) => withImageLinks(event, base, job.id));
  const next_after = events.at(-1)?.seq ?? after;
  return { events, next_after, ended: isFinal(job.status) && next_after >= job.last_seq };
}

function stream(
  api: Api,
  job: JobState,
  after: number,
  base: string,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (isFinal(job.status) && after >= job.last_seq) return reply.code(204).send();
  reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-cache, no-transform')
    .header('x-accel-buffering', 'no');
  if (request.method === 'HEAD') return reply.send();
  request.raw.socket.setTimeout(0);
  const signal = api.streams.signalOf(reply);
  const pages = followEvents(api.store, { id: job.id, after, heartbeat: api.deadlines.heartbeat }, signal);
  // A stream that is pulled: a slow client holds the reading back, and nothing piles up for it.
  return reply.send(
    Readable.from(
      serialize(pages, (event) => withImageLinks(event, base, job.id)),
      { objectMode: false },
    ),
  );
}

async function* serialize(
  pages: AsyncIterable<JobEvent[]>,
  told: (event: JobEvent) => JobEvent,
): AsyncGenerator<string> {
  yield `retry: ${RETRY_MS}\n\n`;
  for await (const events of pages) {
    yield events.length > 0 ? events.map(told).map(messageOf).join('') : ':\n\n';
  }
}

const messageOf = (event: JobEvent) =>
  `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

function lastEventId({ headers }: FastifyRequest): number | null {
  const id = headers['last-event-id'];
  if (id === undefined || id === '') return null;
  if (typeof id === 'string' && /^\d{1,12}$/.test(id)) return Number(id);
  throw invalid([{ path: 'last-event-id', message: 'expected the number of an event' }], 'headers');
}
