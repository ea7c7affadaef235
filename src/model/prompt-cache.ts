import type { ModelMessage } from './model.ts';

const EPHEMERAL = { anthropic: { cacheControl: { type: 'ephemeral' } } } as const;

/**
 * A prompt with Anthropic's marks: the provider caches up to where it is told to, at most four places. Marked are the
 * system prompt (with the tools, which come before it), the first message (the task, and the summary: what stays the
 * same longest), the last message, and the one that was the last of the request before, since the provider looks only
 * about twenty blocks back from a mark for what it has.
 */
export function markCache(prompt: readonly ModelMessage[]): ModelMessage[] {
  const places = new Set([0, 1, prompt.length - 1, lastBefore(prompt)]);
  return prompt.map((message, at) =>
    places.has(at) ? { ...message, providerOptions: { ...message.providerOptions, ...EPHEMERAL } } : message,
  );
}

/** What stood before the newest reply. */
const lastBefore = (prompt: readonly ModelMessage[]): number =>
  Math.max(0, prompt.findLastIndex(({ role }) => role === 'assistant') - 1);
