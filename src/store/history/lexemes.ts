import { type RawBuilder, sql } from 'kysely';
import type { Store } from '../store.ts';
import { tokensOf } from './tokens.ts';

/** More words than that are no question. */
const MOST = 60;
const LONGEST_QUESTION = 4_000;
/** A shortened hash, as git shows it. */
const HASH_START = /^(?=.*\d)[0-9a-f]{6,39}$/;

/** One thing to look for: a lexeme, or with `prefix` any that begins so. */
export interface Term {
  lexeme: string;
  prefix: boolean;
}

/** What a question is looked up by, taken apart as the passages were; none when it has nothing but stop words. */
export async function termsOf({ db }: Pick<Store, 'db'>, question: string): Promise<Term[]> {
  const text = question.slice(0, LONGEST_QUESTION).toWellFormed().replaceAll('\0', ' ');
  const { exact, words } = tokensOf(text);
  const all = `${text}\n${words.join(' ')}`;
  const { rows } = await sql<{ lexemes: string[] }>`
    select tsvector_to_array(to_tsvector('english', ${all})) as lexemes`.execute(db);
  const lexemes = new Set([...(rows[0]?.lexemes ?? []), ...exact]);
  return [...lexemes].slice(0, MOST).map((lexeme) => ({ lexeme, prefix: HASH_START.test(lexeme) }));
}

/** The text of a tsquery for a term, as `::tsquery` takes it. */
export const queryText = ({ lexeme, prefix }: Term): string =>
  `'${lexeme.replaceAll('\\', '\\\\').replaceAll("'", "''")}'${prefix ? ':*' : ''}`;

/** That a passage is the job's and has the term: one look into the index. */
export const matches = (jobId: string, query: RawBuilder<unknown>): RawBuilder<boolean> =>
  sql<boolean>`lexemes @@ (${queryText({ lexeme: jobLexeme(jobId), prefix: false })}::tsquery && ${query})`;

/** The lexeme that all passages of a job have. */
export const jobLexeme = (jobId: string): string => `job:${jobId}`;
