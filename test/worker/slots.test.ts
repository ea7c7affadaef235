import { expect, test } from 'vitest';
import { createSlots, type Place } from '../../src/worker/slots.ts';

const never = new AbortController().signal;

function full(count: number) {
  let freed = 0;
  const slots = createSlots(count, () => {
    freed += 1;
  });
  const places: Place[] = [];
  for (let place = slots.tryTake(); place; place = slots.tryTake()) places.push(place);
  return { slots, places, freed: () => freed };
}

test('there are as many places as asked for, and a place is given back once', () => {
  const { slots, places, freed } = full(2);
  expect(places).toHaveLength(2);
  places[0]?.giveBack();
  places[0]?.giveBack();
  expect([slots.free(), freed()]).toEqual([1, 1]);
});

test('a job that comes back from waiting goes before new ones', async () => {
  const { slots, places, freed } = full(2);
  const [waiting, running] = places;
  waiting?.giveBack();
  const other = slots.tryTake();
  const back = waiting?.takeAgain(never);
  running?.giveBack();
  await back;
  expect([slots.free(), slots.tryTake(), freed()]).toEqual([0, null, 1]);
  waiting?.giveBack();
  other?.giveBack();
  expect(slots.free()).toBe(2);
});

test('whoever stops waiting for a place gets none', async () => {
  const { slots, places } = full(1);
  const [first] = places;
  first?.giveBack();
  const second = slots.tryTake();
  const giveUp = new AbortController();
  const back = first?.takeAgain(giveUp.signal);
  giveUp.abort(new Error('gave up'));
  await expect(back).rejects.toThrow('gave up');
  second?.giveBack();
  first?.giveBack();
  expect(slots.free()).toBe(1);
});
