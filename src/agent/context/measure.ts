import type { ModelMessage } from '../../model/model.ts';
import { estimateTokens } from '../estimate.ts';
import { imageTokens } from '../image.ts';
import type { Turn } from './turn.ts';

/** Estimated tokens of messages, erring high: their JSON, with all that a provider adds around a part. Images are not in it. */
export const messageTokens = (messages: readonly ModelMessage[]): number =>
  messages.length === 0 ? 0 : estimateTokens(JSON.stringify(messages));

/** Estimated tokens of the images of a step that is shown whole. */
export function turnImageTokens({ results }: Turn): number {
  let sum = 0;
  for (const { data } of results.values()) for (const image of data.images ?? []) sum += imageTokens(image);
  return sum;
}
