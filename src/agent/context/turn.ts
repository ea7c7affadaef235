import type { EventData } from '../../protocol/events.ts';

export type Reply = EventData<'model.reply'>;

/** Something said to the model outside of results. Of the keeper's words none is the user's: they go with their step. */
export interface Said {
  seq: number;
  text: string;
  by: 'user' | 'keeper';
}

/** One step as a view has it: a reply, the results of its calls, and what was said before the next reply. */
export interface Turn {
  step: number;
  /** The number of the reply's event. */
  seq: number;
  reply: Reply;
  /** By the call's id. */
  results: Map<string, Result>;
  /** Messages of the user that were taken as the results of questions. */
  answers: Said[];
  after: Said[];
}

export interface Result {
  seq: number;
  data: EventData<'tool.result'>;
}
