import type { Store } from '../store.ts';
import { excerpt } from './excerpt.ts';
import { findPassages } from './find-passages.ts';
import { finder, foundLines, lineWeights } from './found-lines.ts';
import type { HistoryQuery, Page, Passage } from './history.ts';
import { termsOf } from './lexemes.ts';
import { readTexts } from './read-texts.ts';

/** A better question does more than paging on. */
const MOST_SHOWN = 100;

/**
 * Searches all that a job's agent has seen and said. By words, best first: a passage scores what the words in it are
 * worth (the rarer in this job, the more), and again what stands in its best line and near to it (the rarer among the
 * lines found); of equals the newest first. By structure alone: newest first, the beginning of each event.
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
  const events = await readTexts(
    store,
    jobId,
    places.map(({ seq }) => seq),
  );
  const finders = [...new Set(places.flatMap(({ worth }) => Object.keys(worth)))].map(finder);
  const found = places.flatMap((place) => {
    const event = events.get(place.seq);
    if (!event) return [];
    const text = event.text.slice(place.start, place.start + place.length);
    return [{ place, event, text, lines: foundLines(text, finders) }];
  });
  const weights = lineWeights(found.flatMap(({ lines }) => lines));
  const scored = found.map(({ place, event, text, lines }) => {
    const { kind, step, tools, isError } = event;
    const part = excerpt(text, lines, weights, length);
    const start = place.start + part.start;
    const passage = {
      seq: place.seq,
      kind,
      step,
      tools,
      isError,
      start,
      text: part.text,
      of: event.text.length,
    };
    return { score: rounded(sum(Object.values(place.worth)) + part.score), passage };
  });
  scored.sort((a, b) => b.score - a.score || b.passage.seq - a.passage.seq);
  return {
    passages: scored.slice(offset, Math.min(MOST_SHOWN, offset + limit)).map(({ passage }) => passage),
    total: Math.min(MOST_SHOWN, scored.length),
  };
}

/** Sums of the same numbers in another order differ in their last places: equals are to stay equal. */
const rounded = (score: number): number => Math.round(score * 1e6);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
