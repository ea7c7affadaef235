import { imageRule } from '../../model/image-tokens.ts';
import type { ModelMessage } from '../../model/model.ts';
import { estimateTokens } from '../estimate.ts';
import type { Turn } from './turn.ts';

/** Estimated tokens of messages, erring high: their JSON, with all that a provider adds around a part. Images are not in it. */
export const messageTokens = (messages: readonly ModelMessage[]): number =>
  messages.length === 0 ? 0 : estimateTokens(JSON.stringify(messages));

/** Tokens of the images of a step that is shown whole, by the rule of the model that made it. */
export function turnImageTokens({ reply, results }: Turn): number {
  const images = [...results.values()].flatMap(({ data }) => data.images ?? []);
  return images.map(imageRule(reply.model)).reduce((sum, tokens) => sum + tokens, 0);
}
