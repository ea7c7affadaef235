import { z } from 'zod';
import type { EventText } from '../../store/history/event-text.ts';
import type { Passage } from '../../store/history/history.ts';
import { recallRoom } from '../room.ts';
import { defineTool, type ToolCallContext, type ToolResult } from '../tool.ts';

const MAX_SEQ = 2_147_483_647;
/** Of a passage that is found; in a small window less, rather than fewer passages. */
const EXCERPT_CHARACTERS = 700;
const SHORTEST_EXCERPT = 300;
const FEWEST = 6;
const HEAD_CHARACTERS = 80;

export const recall = defineTool({
  name: 'recall',
  description: `Searches the whole history of this job, also what you are no longer shown: the user's messages, your own words and calls with their inputs, and every result (output, file contents, errors). You get the exact text back.
- query: words that the passage has: names, paths, numbers, error codes; the rarer, the better. Any of them counts; the best passages come first. Ask before you do work again, guess, or ask the user.
- tool, file (a path or its end), errors (only failed results), from_step and to_step narrow it; without query they list, newest first.
- event gives the whole text of one event by its number; offset reads on in it. page gives more of a search.`,
  input: z.strictObject({
    query: z.string().trim().min(1).max(4_000).optional(),
    tool: z.string().min(1).max(100).optional(),
    file: z.string().min(1).max(4_096).optional(),
    errors: z.boolean().optional(),
    from_step: z.int().min(1).max(MAX_SEQ).optional(),
    to_step: z.int().min(1).max(MAX_SEQ).optional(),
    page: z.int().min(1).max(100).optional(),
    event: z.int().min(1).max(MAX_SEQ).optional(),
    offset: z.int().min(0).max(MAX_SEQ).optional(),
  }),
  repeatable: true,
  summary: ({ event, query, tool, file, errors }) =>
    event !== undefined
      ? `recall event ${event}`
      : `recall ${[query, tool, file, errors && 'errors'].filter(Boolean).join(', ')}`,
  async run({ event, offset = 0, page = 1, query, from_step, to_step, ...where }, call) {
    const room = recallRoom(call.model, call.window.settings);
    if (event !== undefined) return readEvent(await call.recall.read(event), event, offset, room);
    return await search(
      { ...where, text: query, fromStep: from_step, toStep: to_step },
      { page, room },
      call,
    );
  },
});

async function search(
  query: Parameters<ToolCallContext['recall']['search']>[0],
  { page, room }: { page: number; room: number },
  { recall }: ToolCallContext,
): Promise<ToolResult> {
  const wanted = Math.floor(room / FEWEST) - HEAD_CHARACTERS;
  const length = Math.min(EXCERPT_CHARACTERS, Math.max(SHORTEST_EXCERPT, wanted));
  const limit = Math.max(1, Math.floor(room / (length + HEAD_CHARACTERS)));
  const offset = (page - 1) * limit;
  const { passages, total } = await recall.search(query, { offset, limit, length });
  if (total === 0)
    return { content: '[nothing found; try other words, names or numbers that the text itself has]' };
  if (passages.length === 0)
    return { content: `[there are ${total} passages, ${Math.ceil(total / limit)} pages]` };
  const more = offset + passages.length < total ? `; page ${page + 1} has more` : '';
  const head = `[${total} passages, ${offset + 1} to ${offset + passages.length} here${more}; event with a number gives the whole text]`;
  return { content: [head, ...passages.map(shown)].join('\n\n') };
}

function shown(passage: Passage): string {
  const { seq, start, text, of } = passage;
  const part = text.length < of ? `, characters ${start} to ${start + text.length} of ${of}` : '';
  return `[event ${seq}, ${whose(passage)}${part}]\n${text.trim()}`;
}

function whose({
  kind,
  step,
  tools,
  isError,
}: Pick<EventText, 'kind' | 'step' | 'tools' | 'isError'>): string {
  if (kind === 'user') return 'the user';
  if (kind === 'result') return `step ${step}, ${isError ? 'error' : 'result'} of ${tools.join(', ')}`;
  if (kind === 'output') return `step ${step}, left out of the result of ${tools.join(', ')}`;
  return `step ${step}, your ${kind}`;
}

function readEvent(event: EventText | null, seq: number, offset: number, room: number): ToolResult {
  if (!event) return { content: `There is no event ${seq} with a text.`, isError: true };
  const { text } = event;
  const part = text.slice(offset, offset + room).toWellFormed();
  const end = offset + part.length;
  const rest = end < text.length ? `; read on with offset ${end}` : '';
  const head = `[event ${seq}, ${whose(event)}, characters ${Math.min(offset, text.length)} to ${end} of ${text.length}${rest}]`;
  return { content: `${head}\n${part}` };
}
