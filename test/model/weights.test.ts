import { expect, it } from 'vitest';
import { USUAL_WEIGHTS, weightsOf } from '../../src/model/weights.ts';

it('has the prices of a model beside that of fresh input, and the usual ones where nobody knows them', () => {
  const price = { input: 4, output: 20, cache_read: 0.4, cache_write: 5 };
  expect(weightsOf({ price })).toEqual({ cached: 0.1, written: 1.25, output: 5 });
  expect(weightsOf({ price: { input: 4, output: 8 } })).toEqual({ cached: 1, written: 1, output: 2 });
  // No charge for writing is none beside the input's, which a compaction pays in any case.
  expect(weightsOf({ price: { ...price, cache_write: 0 } }).written).toBe(1);
  expect(weightsOf({ price: { input: 0, output: 0 } })).toEqual(USUAL_WEIGHTS);
  expect(weightsOf(null)).toEqual(USUAL_WEIGHTS);
});
