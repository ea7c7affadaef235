import { sql } from 'kysely';
import type { JobEvent } from '../../protocol/events.ts';
import type { Trx } from '../tables.ts';
import { eventText } from './event-text.ts';
import { jobLexeme } from './lexemes.ts';
import { splitPassages } from './split-passages.ts';
import { tokensOf } from './tokens.ts';

/** Makes events findable: in the transaction that stores them, so that nothing is in the log that recall cannot find. */
export async function writePassages(trx: Trx, jobId: string, events: readonly JobEvent[]): Promise<void> {
  const passages = events.flatMap(passagesOf);
  if (passages.length === 0) return;
  await sql`
    insert into passages (job_id, seq, part, step, kind, tools, is_error, start, length, lexemes)
    select ${jobId}, seq, part, step, kind, tools, is_error, start, length,
      strip(to_tsvector('english', words)) || array_to_tsvector(exact || ${jobLexeme(jobId)}::text)
    from json_to_recordset(${JSON.stringify(passages)}::json) as passage (
      seq int, part int, step int, kind text, tools text[], is_error boolean, start int, length int,
      words text, exact text[]
    )`.execute(trx);
}

function passagesOf(event: JobEvent) {
  const found = eventText(event);
  if (!found) return [];
  const { kind, step, tools, isError } = found;
  return splitPassages(found.text.slice(0, found.searched)).map(({ start, length }, part) => {
    const text = found.text.slice(start, start + length);
    const { exact, words } = tokensOf(text);
    return {
      seq: event.seq,
      part,
      step,
      kind,
      tools,
      is_error: isError,
      start,
      length,
      words: `${text}\n${words.join(' ')}`,
      exact,
    };
  });
}
