import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { findBackground, howItIs } from '../background.ts';
import { defineTool } from '../tool.ts';

const PATIENCE_MS = 5_000;
const POLL_MS = 50;

export const shellKill = defineTool({
  name: 'shell_kill',
  description:
    'Ends a command that shell started in the background, with everything that it started: asked first (SIGTERM), killed after 5 s. Its output stays where it is.',
  input: z.strictObject({ id: z.string().regex(/^\d+-\d+$/) }),
  repeatable: true,
  summary: ({ id }) => `end ${id}`,
  async run({ id }, { sandbox, signal }) {
    const { process } = await findBackground(sandbox, id, signal);
    if (!process || process.ended) return { content: `It is over already: ${howItIs(process)}.` };
    for (const name of ['SIGTERM', 'SIGKILL'] as const) {
      await sandbox.signal(process.id, name, { signal });
      for (const until = performance.now() + PATIENCE_MS; performance.now() < until; ) {
        const now = await findBackground(sandbox, id, signal);
        if (!now.process || now.process.ended) return { content: `Ended: ${howItIs(now.process)}.` };
        await delay(POLL_MS, undefined, { signal });
      }
    }
    return { content: 'It was killed, but has not gone yet; look again with shell_output.', isError: true };
  },
});
