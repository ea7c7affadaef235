import { describe, expect, it } from 'vitest';
import type { Script, Turn } from '../../src/model/scripted/script.ts';
import { notebookOf } from '../../src/protocol/notebook.ts';
import { startTestSandbox } from '../support/sandbox.ts';
import { runLlm } from './harness.ts';

const { sandbox } = await startTestSandbox({ lasts: 'file' });

type Call = { name: string; input: Record<string, unknown> };
const note = (input: Record<string, unknown>): Call => ({ name: 'note', input });
const plan = (...items: [string, string][]): Call => ({
  name: 'plan',
  input: { items: items.map(([text, state]) => ({ text, state })) },
});
const finish: Call = { name: 'finish', input: { summary: 'Done.', success: true } };
const script = (...steps: Call[]): Script => ({
  tracks: [{ turns: [...steps, finish].map((call): Turn => ({ calls: [call] })) }],
});

async function runCalls(steps: Call[], contextWindow?: number) {
  const run = await runLlm(script(...steps), { sandbox, ...(contextWindow && { contextWindow }) });
  await run.result;
  const results = run.of('tool.result').map(({ content, is_error }) => (is_error ? `! ${content}` : content));
  return { run, results: results.slice(0, -1), notebook: notebookOf(run.events) };
}

describe('note', () => {
  it('pins, updates and strikes, and never gives a number twice', async () => {
    const { results, notebook } = await runCalls([
      note({ action: 'pin', text: 'The API listens on 8123.' }),
      note({ action: 'pin', text: 'Tabs, not spaces.' }),
      note({ action: 'update', note: 1, text: 'The API listens on 9001.' }),
      note({ action: 'strike', note: 2 }),
      note({ action: 'pin', text: 'Deploys on Fridays only.' }),
    ]);
    expect(results).toEqual([
      'Pinned as note 1.',
      'Pinned as note 2.',
      'Note 1 is changed.',
      'Note 2 is struck.',
      'Pinned as note 3.',
    ]);
    expect(notebook.notes).toEqual([
      { note: 1, text: 'The API listens on 9001.', step: 3 },
      { note: 3, text: 'Deploys on Fridays only.', step: 5 },
    ]);
  });

  it('says what is wrong with a call', async () => {
    const { results, notebook } = await runCalls([
      note({ action: 'pin' }),
      note({ action: 'update', text: 'x' }),
      note({ action: 'update', note: 7, text: 'x' }),
      note({ action: 'strike', note: 7 }),
    ]);
    expect(results).toEqual([
      '! Action pin needs text.',
      '! Action update needs note.',
      '! There is no note 7; the notes that stand: none.',
      '! There is no note 7; the notes that stand: none.',
    ]);
    expect(notebook.notes).toEqual([]);
  });

  it('refuses more than a tenth of the window holds, until one is struck', async () => {
    const text = (letter: string) => letter.repeat(2_000);
    const { results, notebook } = await runCalls(
      [
        note({ action: 'pin', text: text('a') }),
        note({ action: 'pin', text: text('b') }),
        note({ action: 'pin', text: text('c') }),
        note({ action: 'strike', note: 1 }),
        note({ action: 'pin', text: text('c') }),
      ],
      16_000,
    );
    expect(results[2]).toMatch(/^! There is no room: the notes have 4000 of 4800 characters/);
    expect(results[4]).toBe('Pinned as note 3.');
    expect(notebook.notes.map(({ note }) => note)).toEqual([2, 3]);
  });

  it('does not write again what an interrupted call had written', async () => {
    const steps = [note({ action: 'pin', text: 'Once.' }), plan(['one', 'doing'])];
    const { run } = await runCalls(steps);
    for (const type of ['note.pinned', 'plan.set'] as const) {
      const at = run.events.findIndex((event) => event.type === type);
      const again = await runLlm(script(...steps), { sandbox, history: run.events.slice(0, at + 1) });
      await again.result;
      expect(again.of(type)).toHaveLength(1);
      expect(notebookOf(again.events)).toEqual(notebookOf(run.events));
    }
  });
});

describe('plan', () => {
  it('is replaced as a whole, and not stored again when nothing has changed', async () => {
    const { run, results, notebook } = await runCalls([
      plan(['read', 'doing'], ['write', 'open']),
      plan(['read', 'doing'], ['write', 'open']),
      plan(['read', 'done'], ['write', 'doing'], ['test', 'open']),
    ]);
    expect(results).toEqual([
      'The plan has 2 items; now: read.',
      'The plan has 2 items; now: read.',
      'The plan has 3 items; now: write.',
    ]);
    expect(run.of('plan.set')).toHaveLength(2);
    expect(notebook.plan).toEqual([
      { text: 'read', state: 'done' },
      { text: 'write', state: 'doing' },
      { text: 'test', state: 'open' },
    ]);
  });

  it('refuses what would crowd a small window', async () => {
    const { results } = await runCalls(
      [plan(...Array.from({ length: 30 }, (_, n): [string, string] => [`${n} ${'x'.repeat(300)}`, 'open']))],
      16_000,
    );
    expect(results[0]).toMatch(/^! The plan has 9\d+ characters; there is room for 4800\./);
  });
});
