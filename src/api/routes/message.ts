import { z } from 'zod';
import { JobEvent } from '../../protocol/events.ts';
import { MessageRequest } from '../../protocol/job.ts';
import { addMessage } from '../../store/add-message.ts';
import { EXAMPLE_EVENT, EXAMPLE_ID } from '../examples.ts';
import type { Api, App } from '../options.ts';
import { JobParams, NoQuery } from '../schemas.ts';

const MessageResponse = z
  .object({ job_id: z.string(), event: JobEvent.describe('The event that the message became.') })
  .meta({ id: 'MessageResponse' });

export function messageRoute(app: App, api: Api): void {
  app.post(
    '/message/:id',
    {
      schema: {
        params: JobParams,
        querystring: NoQuery,
        body: MessageRequest,
        response: { 202: MessageResponse },
      },
      config: {
        docs: {
          id: 'sendMessage',
          tag: 'While it runs',
          summary: 'Tell the agent something',
          description:
            'A follow-up to a job that has not ended: the agent sees it before its next step. It answers the question of a job that is waiting for one.',
          answer: 'The message is in the job, as this event.',
          example: {
            job_id: EXAMPLE_ID,
            event: { ...EXAMPLE_EVENT, seq: 7, type: 'message.user', data: { text: 'Use tabs.' } },
          },
          bodies: { 'application/json': { schema: MessageRequest, example: { text: 'Use tabs.' } } },
          errors: ['JOB_NOT_FOUND', 'JOB_ENDED', 'INVALID_REQUEST', 'MALFORMED_JSON'],
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const event = await addMessage(api.store, id, request.body.text);
      return reply.code(202).send({ job_id: id, event });
    },
  );
}
