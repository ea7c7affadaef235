import type { Conversation } from '../../src/model/scripted/conversation.ts';

/** As providers have it: whole blocks, from a least length on. */
const BLOCK = 128;
const LEAST = 1_024;
/** Requests that are remembered: those of the last minutes. */
const REMEMBERED = 4;
const CHARACTERS_A_TOKEN = 4;

/** Tells how much of each request a provider's prefix cache would serve, by the requests before it. */
export class PrefixCache {
  #before: string[][] = [];

  /** Tokens of the request that are the same as those of an earlier one, from its beginning on. */
  add({ messages, tokens }: Conversation): number {
    const texts = messages.map((message) => JSON.stringify(message));
    const length = texts.reduce((sum, text) => sum + text.length, 0);
    // The system prompt and the tools come first, and are the same in all requests of a job.
    const head = tokens - Math.ceil(length / CHARACTERS_A_TOKEN);
    const shared = Math.max(0, ...this.#before.map((before) => sharedCharacters(before, texts)));
    const known = this.#before.length > 0 ? head + Math.floor(shared / CHARACTERS_A_TOKEN) : 0;
    this.#before = [...this.#before, texts].slice(-REMEMBERED);
    return known < LEAST ? 0 : Math.min(tokens, Math.floor(known / BLOCK) * BLOCK);
  }
}

function sharedCharacters(before: readonly string[], now: readonly string[]): number {
  let shared = 0;
  for (const [n, text] of now.entries()) {
    const old = before[n] ?? '';
    if (old !== text) return shared + sharedStart(old, text);
    shared += text.length;
  }
  return shared;
}

function sharedStart(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return at;
}
