import type { Model } from '../model/model.ts';

/** Characters a token, at the low end: what fits by it fits by any tokenizer. */
const CHARACTERS_PER_TOKEN = 3;

/**
 * How many characters an agent's notes, or its plan, may have together: at most a tenth of the window, since what is
 * pinned is sent with every request and can never be summarised.
 */
export const pinnedRoom = (model: Model | null): number => share(model, 0.1, 24_000);

/** How many characters a call of recall may give: at most a tenth of the window. */
export const recallRoom = (model: Model | null): number => share(model, 0.1, 12_000);

function share(model: Model | null, part: number, most: number): number {
  const window = model?.contextWindow ?? Number.POSITIVE_INFINITY;
  return Math.min(most, Math.floor(window * part * CHARACTERS_PER_TOKEN));
}
