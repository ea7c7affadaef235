import { z } from 'zod';
import { defineTool } from '../tool.ts';

export const FinishInput = z.strictObject({
  summary: z.string().min(1).max(20_000),
  success: z.boolean(),
});

/** The loop looks for its result: the call itself ends nothing. */
export const finish = defineTool({
  name: 'finish',
  description:
    'Ends the job. Call it alone, when you have seen that the task is done (success true), or when you are sure that it cannot be done (success false). summary tells the user in a few sentences what was done and how it was checked, where the result lies, and what is missing.',
  input: FinishInput,
  repeatable: true,
  summary: ({ success, summary }) => `${success ? 'Done' : 'Given up'}: ${summary}`,
  run: async () => ({ content: 'The job ends here.' }),
});
