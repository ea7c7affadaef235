import type { ModelFacts } from './catalog.ts';

/** What tokens of a model cost, in those of fresh input. */
export interface TokenWeights {
  /** Read from the provider's cache. */
  cached: number;
  /** Fresh, and put into the cache. */
  written: number;
  output: number;
}

/** What most models charge (50 of the catalog's 78 a tenth, 27 five times): taken where nobody knows the prices. */
export const USUAL_WEIGHTS: TokenWeights = { cached: 0.1, written: 1, output: 5 };

export function weightsOf(prices: ModelFacts['prices']): TokenWeights {
  const { input, output, cache_read, cache_write } = prices?.price ?? { input: 0, output: 0 };
  if (input === 0) return USUAL_WEIGHTS;
  return {
    cached: (cache_read ?? input) / input,
    // A price of 0 says that writing costs nothing on top.
    written: Math.max(1, (cache_write ?? input) / input),
    output: output / input,
  };
}
