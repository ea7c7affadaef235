import { z } from 'zod';
import { planLines } from '../../protocol/notebook.ts';
import { PlanItem } from '../../protocol/notes.ts';
import { pinnedRoom } from '../room.ts';
import { defineTool } from '../tool.ts';

const MAX_ITEMS = 100;
const Item = z.strictObject({ text: z.string().trim().min(1).max(500), state: PlanItem.shape.state });

export const plan = defineTool({
  name: 'plan',
  description:
    'Keeps your plan, which stays in front of you and which the user watches: the whole list each time, in order, each item with its state (open, doing, done, dropped). Make one when a task has more than a few parts; mark one item doing before you start it and done when you have seen that it works; add what turns up. Not needed for small tasks.',
  input: z.strictObject({ items: z.array(Item).max(MAX_ITEMS) }),
  repeatable: true,
  summary: ({ items }) =>
    `plan: ${items.filter(({ state }) => state === 'done').length} of ${items.length} done${doing(items)}`,
  async run({ items }, { append, notebook, model, step, callId }) {
    const room = pinnedRoom(model);
    const length = items.reduce((sum, { text }) => sum + text.length, 0);
    if (length > room)
      return {
        content: `The plan has ${length} characters; there is room for ${room}. Merge finished items, and say the rest shorter.`,
        isError: true,
      };
    const { plan: before } = await notebook();
    if (planLines(before).join('\n') !== planLines(items).join('\n'))
      await append({ type: 'plan.set', data: { step, call_id: callId, items } });
    return { content: `The plan has ${items.length} items${doing(items)}.` };
  },
});

function doing(items: readonly PlanItem[]): string {
  const now = items.find(({ state }) => state === 'doing');
  return now ? `; now: ${now.text}` : '';
}
