import { describe, expect, it } from 'vitest';
import { addSpent, checkBudget } from '../../src/agent/budget.ts';
import { cleanText } from '../../src/agent/clean-text.ts';
import { closestLine } from '../../src/agent/closest-line.ts';
import { estimateTokens } from '../../src/agent/estimate.ts';
import { countRepeats, loopWarning } from '../../src/agent/loop-breaker.ts';
import type { JobEvent, NewEvent } from '../../src/protocol/events.ts';
import type { Limits } from '../../src/protocol/job.ts';

const numbered = (events: NewEvent[]): JobEvent[] =>
  events.map((event, at) => ({ ...event, seq: at + 1, time: '2026-01-01T00:00:00Z' }) as JobEvent);

/** One step for each pair of a command and its result. */
const steps = (...pairs: [command: string, result: string][]): NewEvent[] =>
  pairs.flatMap(([command, content], at): NewEvent[] => [
    {
      type: 'model.reply',
      data: {
        step: at + 1,
        model: 'x/y',
        text: '',
        tool_calls: [{ id: 'a', name: 'shell', input: { command } }],
        finish_reason: 'tool-calls',
        usage: { input_tokens: 100, cached_input_tokens: 0, output_tokens: 10, cost_usd: 0.5 },
        duration_ms: 1,
      },
    },
    {
      type: 'tool.result',
      data: {
        step: at + 1,
        call_id: 'a',
        tool: 'shell',
        content,
        is_error: false,
        exit_code: 0,
        duration_ms: at,
        full_output: null,
      },
    },
  ]);
const repeats = (...pairs: [string, string][]) => countRepeats(numbered(steps(...pairs)));

describe('countRepeats', () => {
  it('counts the same call with the same result', () => {
    expect(repeats()).toBe(1);
    expect(repeats(['a', '1'])).toBe(1);
    expect(repeats(['b', '1'], ['a', '1'], ['a', '1'], ['a', '1'])).toBe(3);
    expect(repeats(['a', '1'], ['a', '2'], ['a', '3'])).toBe(1);
    expect(repeats(['a', '1'], ['a', '1'], ['b', '1'])).toBe(1);
  });

  it('counts patterns of two and three', () => {
    const ab: [string, string][] = [
      ['a', '1'],
      ['b', '2'],
    ];
    const abc: [string, string][] = [...ab, ['c', '3']];
    expect(repeats(...ab, ...ab, ...ab)).toBe(3);
    expect(repeats(...abc, ...abc, ...abc, ...abc, ...abc, ...abc)).toBe(6);
    expect(repeats(...abc, ['d', '4'], ...abc)).toBe(1);
  });

  it('is not misled by its own warning or by the names of output files', () => {
    expect(repeats(['a', 'x'], ['a', 'x'], ['a', `x${loopWarning(3)}`], ['a', `x${loopWarning(4)}`])).toBe(4);
    expect(repeats(['a', 'in .agent/outputs/1-1.txt ...'], ['a', 'in .agent/outputs/2-1.txt ...'])).toBe(2);
  });

  it('starts anew with a message from the user', () => {
    const [reply, result] = steps(['a', '1']) as [NewEvent, NewEvent];
    const message: NewEvent = { type: 'message.user', data: { text: 'Again, please.' } };
    const events = [...steps(['a', '1'], ['a', '1']), message, reply, result];
    expect(countRepeats(numbered(events))).toBe(1);
  });
});

describe('cleanText', () => {
  it.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['a progress bar', ' 10%\r 50%\r100%\ndone', '100%\ndone'],
    ['Windows line ends', 'a\r\nb\r\n', 'a\nb\n'],
    ['a bell, a NUL and a BOM', '\ufeffa\u0007b\u0000c\td', 'abc\td'],
    ['other scripts', 'žluťoučký 🐎 \u4f60', 'žluťoučký 🐎 \u4f60'],
  ])('takes out %s', (_, text, expected) => {
    expect(cleanText(text)).toBe(expected);
  });
});

describe('closestLine', () => {
  const text = 'function add(a, b) {\n    return a + b;\n}\n';
  it('names the line that is meant', () => {
    expect(closestLine(text, '  return a + b;\n')).toMatch(/^Line 2 has the same words/);
    expect(closestLine(text, 'return a - b;')).toMatch(/^Line 2 is the most like/);
    expect(closestLine(text, 'xyzzy')).toMatch(/^No line is like it/);
    expect(closestLine(text, ' \n')).toMatch(/whitespace/);
  });
});

describe('budgets', () => {
  const limits = { max_steps: 3, max_tokens: 330, max_cost_usd: 1.5 } as Limits;
  const spentBy = (n: number) =>
    steps(...Array<[string, string]>(n).fill(['a', '1'])).reduce(addSpent, {
      steps: 0,
      tokens: 0,
      costUsd: 0,
    });

  it('adds up steps, tokens and cost', () => {
    expect(spentBy(2)).toEqual({ steps: 2, tokens: 220, costUsd: 1 });
    expect(() => checkBudget(spentBy(2), limits)).not.toThrow();
  });

  it.each([
    ['STEP_LIMIT', limits],
    ['TOKEN_LIMIT', { ...limits, max_steps: 4 }],
    ['COST_LIMIT', { ...limits, max_steps: 4, max_tokens: 1_000 }],
  ] as const)('ends with %s', (code, given) => {
    expect(() => checkBudget(spentBy(3), given)).toThrow(expect.objectContaining({ code }));
  });
});

it('estimates tokens high, and a long hostile text at once', () => {
  expect(estimateTokens('The quick brown fox jumps over the lazy dog.')).toBeGreaterThanOrEqual(10);
  expect(estimateTokens('你好世界')).toBeGreaterThanOrEqual(4);
  const started = performance.now();
  estimateTokens('a'.repeat(5_000_000) + '<|endoftext|>'.repeat(10_000));
  expect(performance.now() - started).toBeLessThan(1_000);
});
