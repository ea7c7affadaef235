import type { Message } from '../../src/model/scripted/conversation.ts';
import { understand } from './facts.ts';

/** A text that the model has in front of it; of two, the one with the higher `order` is the newer. */
export interface Seen {
  order: number;
  text: string;
}

/**
 * Answers a question from texts, as someone who understands the question and reads with care: the newest line that
 * says it; where it is asked for what was before, the older of two. Null when the texts do not say.
 */
export function answerFrom(question: string, texts: readonly Seen[]): string | null {
  const understood = understand(question);
  if (!understood) return null;
  const found = texts.flatMap(({ order, text }) =>
    [...text.matchAll(understood.pattern)].map((match) => ({ order, value: match[1] ?? '' })),
  );
  found.sort((a, b) => a.order - b.order);
  const values = [...new Set(found.map(({ value }) => value))];
  if (understood.before) return values.length > 1 ? (values[0] ?? null) : null;
  return found.at(-1)?.value ?? null;
}

/** All that a request shows but for what recall gave, which is read when it comes. */
export function textsOf(messages: readonly Message[]): Seen[] {
  const recalls = new Set<string>();
  return messages.map((message, order): Seen => {
    if (message.role === 'user') return { order, text: message.text };
    if (message.role === 'tool') return { order, text: recalls.has(message.callId) ? '' : message.text };
    const calls = message.calls.map(({ id, name, input }) => {
      if (name === 'recall') recalls.add(id);
      return Object.values(input as Record<string, unknown>).join('\n');
    });
    return { order, text: [message.text, ...calls].join('\n') };
  });
}

/** The passages in an answer of recall, by their events' numbers. */
export function passagesOf(answer: string): Seen[] {
  const heads = [...answer.matchAll(/^\[event (\d+), [^\n]*\]$/gm)];
  return heads.map((head, n) => ({
    order: Number(head[1]),
    text: answer.slice(head.index + head[0].length, heads[n + 1]?.index),
  }));
}
