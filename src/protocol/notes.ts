import { z } from 'zod';

const PLAN_STATES = ['open', 'doing', 'done', 'dropped'] as const;

/** One line of an agent's plan. */
export const PlanItem = z.object({ text: z.string(), state: z.enum(PLAN_STATES) }).meta({ id: 'PlanItem' });
export type PlanItem = z.infer<typeof PlanItem>;

/** What an agent has pinned: shown to it word for word for as long as the job lasts. */
export const Note = z
  .object({
    note: z.int().describe("The note's number, from 1; never used again."),
    text: z.string(),
    step: z.int().describe('The step that wrote or last changed it.'),
  })
  .meta({ id: 'Note' });
export type Note = z.infer<typeof Note>;
