import { z } from 'zod';
import { defineTool } from '../tool.ts';

export const askUser = defineTool({
  name: 'ask_user',
  description:
    'Asks the user a question and waits for the answer, which may take hours or never come. Use it only for what you cannot find out or reasonably decide yourself, and ask everything at once.',
  input: z.strictObject({ question: z.string().min(1).max(20_000) }),
  repeatable: true,
  summary: ({ question }) => `ask: ${question}`,
  async run({ question }, { append, waitForMessage, step, callId }) {
    await append({ type: 'question.asked', data: { step, call_id: callId, question } });
    const message = await waitForMessage();
    await append({
      type: 'question.answered',
      data: { step, call_id: callId, message_seq: message.seq },
    });
    return { content: message.type === 'message.user' ? message.data.text : '' };
  },
});
