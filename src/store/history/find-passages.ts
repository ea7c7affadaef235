import { type RawBuilder, sql } from 'kysely';
import type { Store } from '../store.ts';
import type { Trx } from '../tables.ts';
import type { HistoryQuery } from './history.ts';
import { matches, queryText, type Term } from './lexemes.ts';
import { tokensOf } from './tokens.ts';

/** Read and weighed line by line: in a log that names a thing often, many passages are alike by their words alone. */
const MOST_FOUND = 300;
/** Terms are taken for rare, from the rarest on, until they have so many hits together. */
const ENOUGH_RARE = 1_000;
/** The hits of common words in a long log: with PostgreSQL's 4 MB they would go by the disk. */
const WORK_MEM = '16MB';

export interface Place {
  seq: number;
  /** The passage's place in the event's text, in characters. */
  start: number;
  length: number;
  /** The lexemes that were found in it, and what each is worth in this job; none where nothing was asked for by words. */
  worth: Record<string, number>;
}

/** The passages that a query means, at most 300: those whose words are worth the most, or without words the newest. */
export async function findPassages(
  { db }: Pick<Store, 'db'>,
  jobId: string,
  terms: readonly Term[] | null,
  query: HistoryQuery,
): Promise<Place[]> {
  if (terms?.length === 0) return [];
  return await db.transaction().execute(async (trx) => {
    // The planner takes the table for small, since the vectors lie apart: it would read every one of them.
    await sql`set local enable_seqscan = off`.execute(trx);
    await sql`set local work_mem = ${sql.lit(WORK_MEM)}`.execute(trx);
    const where = sql.join([sql`true`, ...(await conditions(trx, jobId, query))], sql` and `);
    const { rows } = await (terms === null ? newest(jobId, where) : best(jobId, terms, where)).execute(trx);
    return rows;
  });
}

const newest = (jobId: string, where: RawBuilder<unknown>) => sql<Place>`
  select seq, start, length, '{}'::json as worth from passages
  where job_id = ${jobId} and part = 0 and ${where} order by seq desc limit ${MOST_FOUND}`;

/**
 * Each term is looked up by itself: the index answers without reading a vector, and counts how rare the term is. That
 * the passage is the job's is checked afterwards, or the planner would go by the job and read all of its vectors.
 * What has none of the rarer terms is not weighed: most of a long log has the common ones.
 */
const best = (jobId: string, terms: readonly Term[], where: RawBuilder<unknown>) => sql<Place>`
  with terms as (
    select lexeme, n::int, query::tsquery as query
    from unnest(${terms.map(({ lexeme }) => lexeme)}::text[], ${terms.map(queryText)}::text[])
      with ordinality as term (lexeme, query, n)
  ), hits as materialized (
    select n, job_id = ${jobId} as ours, seq, part
    from terms join passages on ${matches(jobId, sql`query`)} where ${where}
  ), total as materialized (
    select count(*)::float8 as passages from passages where job_id = ${jobId}
  ), counts as (
    select n, count(*) as hits from hits where ours group by n
  ), weights as materialized (
    select n, lexeme, ln(1 + passages / hits) as weight,
      sum(hits) over (order by hits, n) - hits < ${ENOUGH_RARE} as rare
    from counts join terms using (n), total
  ), candidates as materialized (
    select distinct seq, part from hits join weights using (n) where ours and rare
  ), best as materialized (
    select seq, part, array_agg(n) as found, round(sum(weight) * 1e6) as score
    from candidates join hits using (seq, part) join weights using (n) where ours group by seq, part
    order by score desc, seq desc, part limit ${MOST_FOUND}
  )
  select seq, start, length,
    (select json_object_agg(lexeme, weight) from weights where n = any (found)) as worth
  from best join passages using (seq, part) where job_id = ${jobId} order by score desc, seq desc, part`;

async function conditions(
  trx: Trx,
  jobId: string,
  { tool, file, errors, fromStep, toStep }: HistoryQuery,
): Promise<RawBuilder<unknown>[]> {
  const all: RawBuilder<unknown>[] = [];
  if (tool !== undefined) all.push(sql`${tool} = any(tools)`);
  if (errors) all.push(sql`is_error`);
  if (fromStep !== undefined) all.push(sql`step >= ${fromStep}`);
  if (toStep !== undefined) all.push(sql`step <= ${toStep}`);
  if (file !== undefined)
    all.push(
      sql`kind in ('reply', 'result', 'output') and step = any(${await stepsWithFile(trx, jobId, file)}::int[])`,
    );
  return all;
}

/** The steps whose calls name the file. */
async function stepsWithFile(trx: Trx, jobId: string, file: string): Promise<number[]> {
  const path = file.replace(/^\.?\//, '').toLowerCase();
  const [lexeme] = tokensOf(path).exact;
  // A name that is no identifier (`Makefile`) is a word like any other.
  const query = lexeme
    ? sql`${queryText({ lexeme, prefix: false })}::tsquery`
    : sql`plainto_tsquery('english', ${path})`;
  const { rows } = await sql<{ job_id: string; step: number }>`
    select distinct job_id, step from passages where ${matches(jobId, query)} and kind = 'reply'`.execute(
    trx,
  );
  return rows.flatMap((row) => (row.job_id === jobId ? [row.step] : []));
}
