import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type Background, findBackground, howItIs, listBackground } from '../background.ts';
import { cleanText } from '../clean-text.ts';
import { readBytes } from '../read-bytes.ts';
import { defineTool, type ToolCallContext } from '../tool.ts';

const SHOWN_BYTES = 20_000;
const MAX_WAIT_S = 600;
const POLL_MS = 200;

export const shellOutput = defineTool({
  name: 'shell_output',
  description: `Shows what a command that shell started in the background has printed, and whether it still runs; without an id it lists those commands.
- The newest ${SHOWN_BYTES} bytes are shown, or those from the offset from on; the result says where to go on.
- wait_s waits so long at most (${MAX_WAIT_S}) until there is output from there on that holds wait_for (plain text; left out: any output), or the command ends. To wait for a server use wait_for with what it prints when it is ready.`,
  input: z.strictObject({
    id: z
      .string()
      .regex(/^\d+-\d+$/)
      .optional(),
    from: z.int().min(0).optional(),
    wait_s: z.int().min(1).max(MAX_WAIT_S).optional(),
    wait_for: z.string().min(1).max(1_000).optional(),
  }),
  repeatable: true,
  summary: ({ id, wait_for }) =>
    id ? `output of ${id}${wait_for ? ` until ${wait_for}` : ''}` : 'list background commands',
  async run({ id, from, wait_s = 0, wait_for = '' }, call) {
    const { sandbox, signal } = call;
    if (id === undefined) return { content: await listBackground(sandbox, signal) };
    const until = performance.now() + wait_s * 1_000;
    for (;;) {
      const background = await findBackground(sandbox, id, signal);
      const { text, next, skipped } = await read(background, from, call);
      const over = background.process?.ended !== null;
      if (!over && performance.now() < until && (text === '' || !text.includes(wait_for))) {
        await delay(POLL_MS, undefined, { signal });
        continue;
      }
      const missed =
        wait_for !== '' && !text.includes(wait_for) ? '; it has not printed what was waited for' : '';
      const before = skipped > 0 ? `[${skipped} bytes before this are in ${background.file}]\n` : '';
      return {
        content:
          `${before}${text.trimEnd()}\n[${howItIs(background.process)}; next from ${next}${missed}]`.trimStart(),
      };
    }
  },
});

/** What is in its file from an offset on, or the end of it. */
async function read(
  { file }: Background,
  from: number | undefined,
  { sandbox, signal, redact }: ToolCallContext,
): Promise<{ text: string; next: number; skipped: number }> {
  const { size } = await sandbox.stat(file, { signal });
  const start = Math.min(size, from ?? Math.max(0, size - SHOWN_BYTES));
  const { bytes } = await readBytes(sandbox, file, SHOWN_BYTES, signal, start);
  return {
    text: cleanText(redact(bytes.toString())),
    next: start + bytes.length,
    skipped: from === undefined ? start : 0,
  };
}
