import { estimateTokens } from '../estimate.ts';
import { clip } from './clip.ts';
import type { Turn } from './turn.ts';

const CALL = 160;
const RESULT = 100;
/** Of the room, for the summary that the digest goes on from. */
const FOR_EARLIER = 0.5;

/**
 * A summary that needs no model, for when it gives none: the earlier summary, then a line for each call, the newest if
 * there is no room for all.
 */
export function digest(earlier: string | null, turns: readonly Turn[], tokens: number): string {
  const kept =
    earlier === null
      ? ''
      : clip(earlier, Math.floor(tokens * FOR_EARLIER), (n) => `[... ${n} characters left out ...]`);
  const lines: string[] = [];
  let room = tokens - estimateTokens(kept) - estimateTokens(TITLE) - 20;
  for (const line of turns.flatMap(callLines).toReversed()) {
    room -= estimateTokens(`${line}\n`);
    if (room < 0) break;
    lines.unshift(line);
  }
  return [kept, lines.length > 0 ? `${TITLE}\n${lines.join('\n')}` : ''].filter(Boolean).join('\n\n');
}

const TITLE = '## The calls of the newest of these steps';

function callLines({ step, reply, results }: Turn): string[] {
  return reply.tool_calls.map(({ id, name, input }) => {
    const result = results.get(id);
    const event = result ? ` (event ${result.seq})` : '';
    const said = (result?.data.content ?? '').trim().split('\n').at(-1) ?? '';
    const how = result?.data.is_error ? 'failed: ' : '';
    return `- step ${step}${event}: ${name} ${oneLine(JSON.stringify(input) ?? '', CALL)} -> ${how}${oneLine(said, RESULT)}`;
  });
}

const oneLine = (text: string, most: number): string =>
  (text.length > most ? `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…` : text).replaceAll(
    '\n',
    ' ',
  );
