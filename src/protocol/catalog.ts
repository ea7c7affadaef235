import { z } from 'zod';

/** US dollars per million tokens. */
const Price = z.strictObject({
  input: z.number().min(0),
  output: z.number().min(0),
  /** Where there is none, what was read from a cache costs what fresh input does. */
  cache_read: z.number().min(0).optional(),
  cache_write: z.number().min(0).optional(),
});

/** What is known of a model. */
export const CatalogEntry = z.strictObject({
  /** Tokens of the window, the reply's included. */
  context: z.int().min(4_000),
  price: Price,
  /** The price of a whole request whose input is longer than this. */
  price_above: z.strictObject({ tokens: z.int(), price: Price }).optional(),
});
export type CatalogEntry = z.infer<typeof CatalogEntry>;

/** An operator's own entries, by `provider/name`: what they say goes before what is known. */
export const OwnCatalog = z.record(
  z.string().regex(/^[\w-]+\/.+$/),
  CatalogEntry.partial().refine(({ price, price_above }) => price || !price_above, {
    error: 'expected price beside price_above',
  }),
);
export type OwnCatalog = z.infer<typeof OwnCatalog>;
