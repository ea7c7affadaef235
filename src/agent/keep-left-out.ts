import type { NewEvent, ToolCall } from '../protocol/events.ts';
import type { AgentContext } from './agent.ts';
import type { Journal } from './journal.ts';

const PIECE_CHARACTERS = 30_000;

/**
 * Stores what a result leaves out, in pieces that end with a line where they can, for recall to find. They go past the
 * journal: no view shows them.
 */
export async function keepLeftOut(
  context: AgentContext,
  journal: Journal,
  { step, call }: { step: number; call: ToolCall },
  text: string,
): Promise<void> {
  const kept = text.slice(0, journal.takeOutputRoom(text.length));
  const pieces = kept.match(PIECES) ?? [];
  const events = pieces.map(
    (piece, at): NewEvent => ({
      type: 'tool.output',
      data: { step, call_id: call.id, tool: call.name, part: at + 1, text: piece },
    }),
  );
  await context.append(...events);
}

/** As long as may be and up to a line's end, else just as long as may be. */
const PIECES = new RegExp(`[^]{1,${PIECE_CHARACTERS - 1}}(?:\\n|$)|[^]{1,${PIECE_CHARACTERS}}`, 'gu');
