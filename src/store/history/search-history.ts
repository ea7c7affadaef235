import type { Store } from '../store.ts';
import { excerpt } from './excerpt.ts';
import { findPassages } from './find-passages.ts';
import type { HistoryQuery, Page, Passage } from './history.ts';
import { termsOf } from './lexemes.ts';
import { readTexts } from './read-texts.ts';

/**
 * Searches all that a job's agent has seen and said. By words: best first; a passage scores what the words in it are
 * worth (the rarer in this job, the more), and those that stand close together once more; of equals the newest first.
 * By structure alone: newest first, the beginning of each event.
 * @returns `total`: how many there are, at most 100, since a better question does more than paging on.
 */
export async function searchHistory(
  store: Pick<Store, 'db'>,
  jobId: string,
  query: HistoryQuery,
  { offset, limit, length }: Page,
): Promise<{ passages: Passage[]; total: number }> {
  const terms = query.text === undefined ? null : await termsOf(store, query.text);
  const places = await findPassages(store, jobId, terms, query);
  const weights = new Map(places.flatMap((place) => Object.entries(place.worth)));
  const texts = await readTexts(
    store,
    jobId,
    places.map(({ seq }) => seq),
  );
  const scored = places.flatMap((place) => {
    const event = texts.get(place.seq);
    if (!event) return [];
    const { kind, step, tools, isError, text: whole } = event;
    const part = excerpt(whole.slice(place.start, place.start + place.length), weights, length);
    const worth = Object.values(place.worth).reduce((sum, weight) => sum + weight, 0);
    const passage: Passage = {
      seq: place.seq,
      kind,
      step,
      tools,
      isError,
      start: place.start + part.start,
      text: part.text,
      of: whole.length,
    };
    return [{ score: worth + part.score, passage }];
  });
  scored.sort((a, b) => b.score - a.score || b.passage.seq - a.passage.seq);
  return {
    passages: scored.slice(offset, offset + limit).map(({ passage }) => passage),
    total: scored.length,
  };
}
