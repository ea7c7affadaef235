import type { ModelMessage } from '../model/model.ts';
import type { JobEvent } from '../protocol/events.ts';
import { imageTokens } from './image.ts';

/**
 * Tokens of a text, erring high: real tokenizers take 3.5 to 5 characters a token of English or code, and about one
 * of most other scripts. Never a real tokenizer: they take minutes on hostile input.
 */
export function estimateTokens(text: string): number {
  const ascii = text.replaceAll(/[^\0-\x7f]/g, '').length;
  return Math.ceil(ascii / 3) + (text.length - ascii);
}

/**
 * Tokens of the next request: the provider's own count of the last one and of its reply, and an estimate of what has
 * come since; all estimated before the first reply.
 */
export function requestTokens(fixed: string, messages: ModelMessage[], events: readonly JobEvent[]): number {
  const last = events.findLast((event) => event.type === 'model.reply');
  if (last?.type !== 'model.reply' || last.data.usage.input_tokens === 0)
    return estimateTokens(fixed) + estimateTokens(JSON.stringify(messages));
  const since = events.filter((event) => event.seq > (last.data.seen ?? last.seq) && event.seq !== last.seq);
  const { input_tokens, output_tokens } = last.data.usage;
  return input_tokens + output_tokens + since.reduce((sum, event) => sum + eventTokens(event), 0);
}

function eventTokens(event: JobEvent): number {
  if (event.type === 'tool.result') {
    const images = event.data.images ?? [];
    return estimateTokens(event.data.content) + images.reduce((sum, ref) => sum + imageTokens(ref), 10);
  }
  return event.type === 'message.user' ? estimateTokens(event.data.text) + 10 : 0;
}
