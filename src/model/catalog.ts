import { z } from 'zod';
import { CatalogEntry, type OwnCatalog } from '../protocol/catalog.ts';
import data from './catalog.json' with { type: 'json' };

const CATALOG = z.record(z.string(), CatalogEntry).parse(data);

/** What is known of a model: nothing of what nobody knows. */
export interface ModelFacts {
  context: number | null;
  /** With `price_above`, the price of long requests. */
  prices: Pick<CatalogEntry, 'price' | 'price_above'> | null;
}

/**
 * The window and the prices of a model: the operator's own entry for it goes first, then the one window that the
 * operator set for all models, then the catalog.
 * A dated or "latest" variant (`claude-haiku-4-5-20251001`, `gpt-5.5-2026-04-23`) is the model that it is a variant of.
 */
export function modelFacts(
  id: string,
  own: OwnCatalog | undefined,
  ownWindow: number | undefined,
): ModelFacts {
  const mine = find(own ?? {}, id);
  const known = find(CATALOG, id);
  const price = mine?.price;
  return {
    context: mine?.context ?? ownWindow ?? known?.context ?? null,
    prices: price ? { price, price_above: mine.price_above } : (known ?? null),
  };
}

function find<Entry>(catalog: Record<string, Entry>, id: string): Entry | undefined {
  const plain = id.replace(/-(latest|\d{8}|\d{4}-\d{2}-\d{2})$/, '');
  return [id, plain].filter((name) => Object.hasOwn(catalog, name)).map((name) => catalog[name])[0];
}
