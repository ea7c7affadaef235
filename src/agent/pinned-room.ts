import type { Model } from '../model/model.ts';

/** Characters, where the model's window is not known or is large. */
const MOST = 24_000;
/** Characters a token, at the low end: what fits by it fits by any tokenizer. */
const CHARACTERS_PER_TOKEN = 3;
/** Of the window: what is pinned is sent with every request and can never be summarised. */
const SHARE = 0.1;

/** How many characters an agent's notes, or its plan, may have together. */
export function pinnedRoom(model: Model | null): number {
  const window = model?.contextWindow ?? Number.POSITIVE_INFINITY;
  return Math.min(MOST, Math.floor(window * SHARE * CHARACTERS_PER_TOKEN));
}
