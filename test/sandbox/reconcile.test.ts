import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unclaimed } from '../../src/sandbox/reconcile.ts';

const sandbox = (id: string, worker: string) => ({
  handle: { driver: 'docker', id, ref: `ref-${id}` },
  worker,
  created: new Date(0),
});

describe('unclaimed', () => {
  const claims = (kept: string[]) => ({
    worker: 'me',
    liveWorkers: new Set(['me', 'other']),
    kept: new Set(kept),
  });
  const ids = (listed: ReturnType<typeof sandbox>[], kept: string[]) =>
    unclaimed(listed, claims(kept)).map(({ id }) => id);

  it('takes what this worker made and nothing claims', () => {
    expect(ids([sandbox('a', 'me'), sandbox('b', 'me')], ['b'])).toEqual(['a']);
  });

  it("leaves another live worker's alone, claimed or not", () => {
    expect(ids([sandbox('a', 'other'), sandbox('b', 'other')], ['b'])).toEqual([]);
  });

  it('takes those of a worker that is gone, unless a job names them', () => {
    expect(ids([sandbox('a', 'gone'), sandbox('b', 'gone')], ['b'])).toEqual(['a']);
  });

  it('takes one without a worker', () => {
    expect(ids([sandbox('a', '')], [])).toEqual(['a']);
  });

  it("never takes what is claimed or another live worker's, and leaves nothing else", () => {
    const worker = fc.constantFrom('me', 'other', 'gone', '');
    const entry = fc.record({ worker, claimed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const listed = entries.map(({ worker: by }, i) => sandbox(`${i}`, by));
        const kept = entries.flatMap(({ claimed }, i) => (claimed ? [`${i}`] : []));
        const expected = entries.flatMap(({ worker: by, claimed }, i) =>
          claimed || by === 'other' ? [] : [`${i}`],
        );
        expect(ids(listed, kept)).toEqual(expected);
      }),
    );
  });
});
