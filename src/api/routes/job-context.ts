import { z } from 'zod';
import { inspect } from '../../agent/context/inspect.ts';
import { CodedError } from '../../protocol/errors.ts';
import type { JobEvent } from '../../protocol/events.ts';
import { ContextResponse } from '../../protocol/job-context.ts';
import { findReply } from '../../store/find-reply.ts';
import { readEvents } from '../../store/read-events.ts';
import { readLasting } from '../../store/read-lasting.ts';
import type { Store } from '../../store/store.ts';
import { EXAMPLE_CONTEXT } from '../examples.ts';
import { findJob } from '../find-job.ts';
import type { Api, App } from '../options.ts';
import { JobParams, wholeNumber } from '../schemas.ts';

const PAGE = 1_000;
const MAX_STEP = 2 ** 31 - 1;
const ContextQuery = z.strictObject({
  step: wholeNumber(1, MAX_STEP).optional().describe('Which step; left out, the newest that has a reply.'),
});

export function jobContextRoute(app: App, api: Api): void {
  app.get(
    '/job/:id/context',
    {
      schema: { params: JobParams, querystring: ContextQuery, response: { 200: ContextResponse } },
      config: {
        docs: {
          id: 'getJobContext',
          tag: 'Jobs',
          summary: 'What the model saw at a step',
          description:
            "Made again from the job's events as it was made for the model: the messages word for word (images by reference), which steps stood in them whole, clipped or as stubs, which were summarised, and what it cost.",
          answer: 'What the model was shown, and what it cost.',
          example: EXAMPLE_CONTEXT,
          errors: ['JOB_NOT_FOUND', 'STEP_NOT_FOUND', 'INVALID_REQUEST'],
        },
      },
    },
    async (request) => {
      const { step } = request.query;
      const job = await findJob(api.store, request.params.id);
      const reply = await findReply(api.store, job.id, step);
      if (!reply)
        throw new CodedError(
          'STEP_NOT_FOUND',
          step === undefined
            ? 'no model has replied in this job'
            : `there is no reply of a step ${step}; the job has taken ${job.usage.steps}`,
        );
      const { data, seq, time } = reply;
      return {
        job_id: job.id,
        step: data.step,
        event: seq,
        time,
        model: data.model,
        window: data.view?.window ?? null,
        most_tokens: data.view?.input ?? null,
        usage: data.usage,
        ...inspect(job.request.prompt, await eventsBefore(api.store, job.id, seq), reply),
      };
    },
  );
}

async function eventsBefore(store: Store, id: string, seq: number): Promise<JobEvent[]> {
  const { events, through } = await readLasting(store, id, seq);
  let after = through;
  for (;;) {
    const page = await readEvents(store, id, { after, limit: Math.min(PAGE, seq - 1 - after) });
    events.push(...page);
    after = page.at(-1)?.seq ?? after;
    if (page.length === 0 || after >= seq - 1) return events;
  }
}
