import { expect, it } from 'vitest';
import type { Turn } from '../../src/model/scripted/script.ts';
import { startTestSandbox } from '../support/sandbox.ts';
import { runLlm } from './harness.ts';

const { sandbox } = await startTestSandbox({ lasts: 'file' });

it('stores what a result leaves out before the result, without secrets, and shows it to no model', async () => {
  const turns: Turn[] = [
    { calls: [{ name: 'shell', input: { command: 'seq 1 20000; echo hunter2hunter2; seq 20001 40000' } }] },
    { calls: [{ name: 'finish', input: { summary: 'Done.', success: true } }] },
  ];
  const run = await runLlm({ tracks: [{ turns }] }, { sandbox });
  await run.result;
  const types = run.events.map(({ type }) => type);
  expect(types.lastIndexOf('tool.output')).toBeLessThan(types.indexOf('tool.result'));
  const pieces = run.of('tool.output');
  expect(pieces.map(({ part, call_id }) => [part, call_id])).toEqual(
    pieces.map((_, n) => [n + 1, pieces[0]?.call_id]),
  );
  expect(pieces.length).toBeGreaterThan(5);
  const whole = pieces.map(({ text }) => text).join('');
  expect(whole).toMatch(/\n19999\n20000\n\[secret\]\n20001\n/);
  expect(pieces.slice(0, -1).every(({ text }) => text.endsWith('\n') && text.length <= 30_000)).toBe(true);
  // No line is cut in two by what is left out: between them they have each of the 40,000 whole.
  const lines = new Set([...whole.split('\n'), ...(run.of('tool.result')[0]?.content.split('\n') ?? [])]);
  expect(Array.from({ length: 40_000 }, (_, n) => String(n + 1)).filter((n) => !lines.has(n))).toEqual([]);
  expect(JSON.stringify(run.requests)).not.toContain('19999');
});
