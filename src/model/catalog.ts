import { z } from 'zod';
import data from './catalog.json' with { type: 'json' };

/** US dollars per million tokens. */
const Price = z.strictObject({
  input: z.number(),
  output: z.number(),
  cache_read: z.number().optional(),
  cache_write: z.number().optional(),
});
export type Price = z.infer<typeof Price>;

const CatalogEntry = z.strictObject({
  /** Tokens of the window, the reply's included. */
  context: z.int(),
  price: Price,
  /** The price of a whole request whose input is longer than this. */
  price_above: z.strictObject({ tokens: z.int(), price: Price }).optional(),
});
export type CatalogEntry = z.infer<typeof CatalogEntry>;

const CATALOG = new Map(Object.entries(z.record(z.string(), CatalogEntry).parse(data)));

/**
 * What is known of a model's window and prices; null when nothing is.
 * A dated or "latest" variant (`claude-haiku-4-5-20251001`, `gpt-5.5-2026-04-23`) is the model that it is a variant of.
 */
export function lookUpModel(id: string): CatalogEntry | null {
  return CATALOG.get(id) ?? CATALOG.get(id.replace(/-(latest|\d{8}|\d{4}-\d{2}-\d{2})$/, '')) ?? null;
}
