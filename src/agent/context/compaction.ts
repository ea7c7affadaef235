import type { ModelMessage, ModelReply } from '../../model/model.ts';
import type { NewEvent } from '../../protocol/events.ts';
import type { ContextStrategy } from './strategy.ts';
import type { Transcript } from './transcript.ts';
import type { View } from './view.ts';

/** What a compaction works with. */
export interface Compaction {
  transcript: Transcript;
  view: View;
  strategy: ContextStrategy;
  /** Estimated tokens of the system prompt and the tools. */
  outside: number;
  /** The newest event of the log. */
  newest(): number;
  /** Stores an event and gives it to the transcript. */
  append(event: NewEvent): Promise<unknown>;
  /** Asks the model with the job's own system prompt and tools, so that the provider's cache serves. */
  ask(messages: ModelMessage[]): Promise<ModelReply>;
}
