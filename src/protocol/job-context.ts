import { z } from 'zod';
import { StepUsage } from './events.ts';
import { Id } from './ids.ts';

/** What the model saw at a step. */
export const ContextResponse = z
  .object({
    job_id: Id,
    step: z.int(),
    event: z.int().describe("The number of the reply's event."),
    time: z.iso.datetime().describe('RFC 3339, UTC'),
    model: z.string(),
    window: z.int().nullable().describe("Tokens of the model's window."),
    most_tokens: z.int().nullable().describe('Tokens that the request might have at most.'),
    usage: StepUsage.describe("What the step cost, by the provider's count."),
    summarised_through: z
      .int()
      .describe('The last step that the summary stood for; 0 while all steps were shown.'),
    summary: z.string().nullable(),
    steps: z
      .array(
        z.object({
          step: z.int(),
          event: z.int(),
          shown: z.enum(['whole', 'clipped', 'stub']),
          tokens: z.int().describe('Estimated.'),
        }),
      )
      .describe('The steps that were shown, and how.'),
    compactions: z
      .array(
        z.object({
          event: z.int(),
          kind: z.enum(['stubs', 'summary', 'drop']),
          from_step: z.int(),
          through_step: z.int(),
          author: z.enum(['model', 'digest']).nullable(),
          fault: z.string().nullable(),
          tokens_before: z.int(),
          tokens_after: z.int(),
          usage: StepUsage.nullable().describe('What it cost; null when no model was asked.'),
        }),
      )
      .describe('The compactions that it was under, oldest first.'),
    messages: z
      .array(z.object({ role: z.string(), content: z.unknown() }).loose())
      .describe('The messages word for word, in the form of the AI SDK.'),
  })
  .meta({ id: 'ContextResponse' });
