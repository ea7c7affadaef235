import type { LanguageModelV4Usage } from '@ai-sdk/provider';
import type { StepUsage } from '../protocol/events.ts';
import type { ModelFacts } from './catalog.ts';

/** The provider's own counts as ours, with the cost in US dollars where the price is known. */
export function stepUsage(usage: LanguageModelV4Usage, prices: ModelFacts['prices']): StepUsage {
  const cached = count(usage.inputTokens.cacheRead);
  const written = count(usage.inputTokens.cacheWrite);
  const input = Math.max(count(usage.inputTokens.total), cached + written);
  const output = count(usage.outputTokens.total);
  return {
    input_tokens: input,
    cached_input_tokens: cached,
    output_tokens: output,
    cost_usd: prices && costOf(prices, { input, cached, written, output }),
  };
}

function costOf(
  prices: NonNullable<ModelFacts['prices']>,
  tokens: { input: number; cached: number; written: number; output: number },
): number {
  const tier = prices.price_above;
  const price = tier && tokens.input > tier.tokens ? tier.price : prices.price;
  const fresh = tokens.input - tokens.cached - tokens.written;
  const dollars =
    fresh * price.input +
    tokens.cached * (price.cache_read ?? price.input) +
    tokens.written * (price.cache_write ?? price.input) +
    tokens.output * price.output;
  return dollars / 1_000_000;
}

/** Servers have been seen to send fractions, negative numbers and nothing. */
const count = (value: number | undefined): number =>
  value !== undefined && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
