import { expect, it, onTestFinished } from 'vitest';
import {
  controlUntil,
  expireControl,
  readControl,
  releaseControl,
  takeControl,
} from '../../src/store/desktop-control.ts';
import { readEvents } from '../../src/store/read-events.ts';
import type { Store } from '../../src/store/store.ts';
import { openTestStore } from '../support/database.ts';
import { schedule } from './jobs.ts';

async function start(): Promise<{ store: Store; id: string }> {
  const { store, close } = await openTestStore();
  onTestFinished(close);
  const { id } = await schedule(store);
  return { store, id };
}
const told = async (store: Store, id: string) =>
  (await readEvents(store, id, { after: 1, limit: 100 })).map(({ type, data, seq }) => [seq, type, data]);

it('is one person’s at a time, kept by its token and given back', async () => {
  const { store, id } = await start();
  expect(await readControl(store, id)).toBeNull();
  const mine = await takeControl(store, { jobId: id, holder: 'Ada', ttlS: 60 });
  expect(await readControl(store, id)).toMatchObject({ holder: 'Ada', expires: mine.expires });
  expect(await controlUntil(store, id, mine.token)).not.toBeNull();
  expect(await controlUntil(store, id, `${mine.token}x`)).toBeNull();
  await expect(takeControl(store, { jobId: id, holder: 'Bob', ttlS: 60 })).rejects.toMatchObject({
    code: 'CONTROL_TAKEN',
  });
  await expect(takeControl(store, { jobId: id, holder: 'Bob', ttlS: 60, token: 'x' })).rejects.toMatchObject({
    code: 'CONTROL_TAKEN',
  });
  const longer = await takeControl(store, { jobId: id, holder: 'Ada', ttlS: 600, token: mine.token });
  expect(longer.token).toBe(mine.token);
  expect(longer.expires > mine.expires).toBe(true);
  await releaseControl(store, id, 'another');
  expect(await readControl(store, id)).not.toBeNull();
  await releaseControl(store, id, mine.token);
  await releaseControl(store, id, mine.token);
  expect(await readControl(store, id)).toBeNull();
  expect(await told(store, id)).toEqual([
    [2, 'control.taken', { holder: 'Ada', expires: mine.expires }],
    [3, 'control.released', { holder: 'Ada', reason: 'released' }],
  ]);
});

it('expires, and the agent is told by whoever sees it first', async () => {
  const { store, id } = await start();
  const mine = await takeControl(store, { jobId: id, holder: 'Ada', ttlS: 0 });
  expect(await readControl(store, id)).toBeNull();
  expect(await controlUntil(store, id, mine.token)).toBeNull();
  expect(await expireControl(store)).toBe(1);
  expect(await expireControl(store)).toBe(0);
  await takeControl(store, { jobId: id, holder: 'Bob', ttlS: 0 });
  await takeControl(store, { jobId: id, holder: 'Eve', ttlS: 60 });
  expect(
    (await told(store, id)).map(([, type, data]) => [type, (data as { holder: string }).holder]),
  ).toEqual([
    ['control.taken', 'Ada'],
    ['control.released', 'Ada'],
    ['control.taken', 'Bob'],
    ['control.released', 'Bob'],
    ['control.taken', 'Eve'],
  ]);
});

it('goes to one of those who ask at once', async () => {
  const { store, id } = await start();
  const asked = await Promise.allSettled(
    ['a', 'b', 'c', 'd'].map((holder) => takeControl(store, { jobId: id, holder, ttlS: 60 })),
  );
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});
