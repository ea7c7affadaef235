import type { EventText } from './event-text.ts';

/** What is looked for: everything that is given must hold, but of the words any. */
export interface HistoryQuery {
  /** Words, names, numbers, paths. Rare ones count most. */
  text?: string | undefined;
  tool?: string | undefined;
  /** A path or its end: the calls that name it, and what they gave. */
  file?: string | undefined;
  /** Only results that are errors. */
  errors?: boolean | undefined;
  fromStep?: number | undefined;
  toStep?: number | undefined;
}

/** A piece of a job's history, word for word. */
export interface Passage extends Pick<EventText, 'kind' | 'step' | 'tools' | 'isError'> {
  /** The event's number. */
  seq: number;
  /** Where it begins in the event's text, in characters. */
  start: number;
  text: string;
  /** Characters of the event's whole text. */
  of: number;
}

/** Which of the passages that were found, and how long an excerpt of each may be, in characters. */
export interface Page {
  offset: number;
  limit: number;
  length: number;
}
