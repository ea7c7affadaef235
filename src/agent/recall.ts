import type { EventText } from '../store/history/event-text.ts';
import type { HistoryQuery, Page, Passage } from '../store/history/history.ts';
import { readTexts } from '../store/history/read-texts.ts';
import { searchHistory } from '../store/history/search-history.ts';
import type { Store } from '../store/store.ts';

/** A look into the whole history of a job, however little of it the model is still shown. */
export interface Recall {
  search(query: HistoryQuery, page: Page): Promise<{ passages: Passage[]; total: number }>;
  /** The whole text of an event; null where there is none of that number, or it has none. */
  read(seq: number): Promise<EventText | null>;
}

export const recallFrom = (store: Pick<Store, 'db'>, jobId: string): Recall => ({
  search: (query, page) => searchHistory(store, jobId, query, page),
  read: async (seq) => (await readTexts(store, jobId, [seq])).get(seq) ?? null,
});
