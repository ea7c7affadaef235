import type { Model } from '../model/model.ts';
import { type ContextSettings, makeBudget } from './context/budget.ts';

/** Characters a token, at the low end: what fits by it fits by any tokenizer. */
const CHARACTERS_PER_TOKEN = 3;
/** Of the window. */
const PINNED_SHARE = 0.1;
const MOST_PINNED = 24_000;
const MOST_RECALLED = 12_000;
/** Heads and page marks come on top of the passages. */
const PASSAGES_SHARE = 0.9;

/**
 * How many characters an agent's notes, or its plan, may have together: at most a tenth of the window, since what is
 * pinned is sent with every request and can never be summarised.
 */
export function pinnedRoom(model: Model | null): number {
  const window = model?.contextWindow ?? Number.POSITIVE_INFINITY;
  return Math.min(MOST_PINNED, Math.floor(window * PINNED_SHARE * CHARACTERS_PER_TOKEN));
}

/** How many characters a call of recall may give: what a view shows of one result, since the rest would be cut out again. */
export function recallRoom(model: Model | null, settings: ContextSettings): number {
  const { result } = makeBudget(model ?? {}, settings).limits;
  return Math.min(MOST_RECALLED, Math.floor(result * CHARACTERS_PER_TOKEN * PASSAGES_SHARE));
}
