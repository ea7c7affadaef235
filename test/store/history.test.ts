import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewEvent } from '../../src/protocol/events.ts';
import { addMessage } from '../../src/store/add-message.ts';
import { appendEvents } from '../../src/store/append-events.ts';
import type { Fence } from '../../src/store/fence.ts';
import type { HistoryQuery } from '../../src/store/history/history.ts';
import { readTexts } from '../../src/store/history/read-texts.ts';
import { searchHistory } from '../../src/store/history/search-history.ts';
import { openTestStore, type TestStore } from '../support/database.ts';
import { running } from './jobs.ts';

let test: TestStore;
beforeAll(async () => {
  test = await openTestStore();
});
afterAll(() => test.close());

const USAGE = { input_tokens: 1, cached_input_tokens: 0, output_tokens: 1, cost_usd: 0 };

/** One step: a call and its result. */
function step(
  number: number,
  tool: string,
  input: Record<string, unknown>,
  content: string,
  isError = false,
): NewEvent[] {
  const id = `call-${number}`;
  return [
    {
      type: 'model.reply',
      data: {
        step: number,
        model: 'test/model',
        text: '',
        tool_calls: [{ id, name: tool, input }],
        finish_reason: 'tool-calls',
        usage: USAGE,
        duration_ms: 1,
      },
    },
    {
      type: 'tool.result',
      data: {
        step: number,
        call_id: id,
        tool,
        content,
        is_error: isError,
        exit_code: null,
        duration_ms: 1,
        full_output: null,
      },
    },
  ];
}

const noise = (n: number) =>
  Array.from(
    { length: 40 },
    (_, line) =>
      `[build ${n}] compiled module ${line} of the service in ${(n * 7 + line) % 97} ms, port open`,
  ).join('\n');

async function jobWith(...events: NewEvent[]): Promise<Fence> {
  const { fence } = await running(test.store, { request: { agent: 'llm' } });
  if (events.length > 0) await appendEvents(test.store, fence, events);
  return fence;
}

const PAGE = { offset: 0, limit: 5, length: 400 };
const search = (fence: Fence, query: HistoryQuery, page = PAGE) =>
  searchHistory(test.store, fence.jobId, query, page);
const first = async (fence: Fence, text: string) => (await search(fence, { text })).passages[0]?.text ?? '';

describe('by words', () => {
  let job: Fence;
  beforeAll(async () => {
    const steps = Array.from({ length: 30 }, (_, n) =>
      step(n + 1, 'shell', { command: `make part-${n}` }, noise(n)),
    );
    steps[3] = step(4, 'shell', { command: 'make db' }, `${noise(4)}\nstaging database listening on 54329\n`);
    steps[7] = step(
      8,
      'shell',
      { command: 'npm start' },
      `Error: ECONNREFUSED 10.0.3.7:6379\n    at connectRedis (src/cache/redisClient.ts:41:13)`,
      true,
    );
    steps[9] = step(10, 'write_file', { path: 'config/app.toml', content: 'max_retries = 17\n' }, 'Written.');
    steps[12] = step(
      13,
      'shell',
      { command: 'git log' },
      'commit 9f8e7d6c5b4a39281706f5e4d3c2b1a098765432\nFix it',
    );
    steps[15] = step(
      16,
      'shell',
      { command: 'cat notes' },
      "Müller's naïve Größe: 42 cm. 東京の倉庫は三階にあります。",
    );
    job = await jobWith(...steps.flat());
    await addMessage(test.store, job.jobId, 'Please call the product Kingfisher, not Heron.');
  });

  it.each([
    ['which port does the staging database listen on?', 'listening on 54329'],
    ['ECONNREFUSED', '10.0.3.7:6379'],
    ['what was refused at 10.0.3.7:6379', 'ECONNREFUSED'],
    ['redisClient.ts', 'connectRedis'],
    ['src/cache/redisClient.ts', 'connectRedis'],
    ['the function that connects to redis', 'connectRedis'],
    ['max_retries', 'max_retries = 17'],
    ['value of max retries in app.toml', 'max_retries = 17'],
    ['commit 9f8e7d6', '9f8e7d6c5b4a39281706f5e4d3c2b1a098765432'],
    ['product name Kingfisher', 'not Heron'],
    ['Größe von Müller', '42 cm'],
    ['倉庫は何階', '三階'],
    ["'; drop table passages; --  database \\ ' | & ! :*", 'listening on 54329'],
  ])('%s', async (question, answer) => {
    expect(await first(job, question)).toContain(answer);
  });

  it('gives the exact text, with its place in the event', async () => {
    const { passages } = await search(job, { text: 'staging database' });
    const [passage] = passages;
    const whole = (await readTexts(test.store, job.jobId, [passage?.seq ?? 0])).get(passage?.seq ?? 0);
    expect(whole?.text.slice(passage?.start, (passage?.start ?? 0) + (passage?.text.length ?? 0))).toBe(
      passage?.text,
    );
    expect(passage).toMatchObject({ kind: 'result', step: 4, tools: ['shell'], of: whole?.text.length });
  });

  it('finds nothing for stop words and for what never was', async () => {
    expect(await search(job, { text: 'what is the' })).toEqual({ passages: [], total: 0 });
    expect(await search(job, { text: 'zyzzyva' })).toEqual({ passages: [], total: 0 });
  });

  it('pages without overlap', async () => {
    const all = (await search(job, { text: 'compiled module' }, { ...PAGE, limit: 20 })).passages;
    const second = await search(job, { text: 'compiled module' }, { ...PAGE, offset: 5 });
    expect(second.passages).toEqual(all.slice(5, 10));
  });

  it('sees its own job alone', async () => {
    const other = await jobWith(
      ...step(1, 'shell', { command: 'x' }, `job:${job.jobId} staging database 11111`),
    );
    expect(await first(other, 'staging database')).toContain('11111');
    expect((await search(job, { text: '11111' })).total).toBe(0);
  });
});

describe('by structure', () => {
  it('lists by tool, file, errors and steps, newest first, and narrows words', async () => {
    const job = await jobWith(
      ...step(1, 'read_file', { path: 'src/a.ts' }, 'const color = 1'),
      ...step(2, 'shell', { command: 'npm test' }, 'color test failed', true),
      ...step(3, 'write_file', { path: '/workspace/src/a.ts', content: 'const color = 2' }, 'Written.'),
      ...step(4, 'read_file', { path: 'src/b.ts' }, 'const color = 3'),
      ...step(5, 'shell', { command: 'make' }, 'no rule for color', true),
      ...step(6, 'read_file', { path: 'Makefile' }, 'all: build'),
    );
    const steps = async (query: HistoryQuery) =>
      (await search(job, query)).passages.map((each) => `${each.step} ${each.kind}`);
    expect(await steps({ tool: 'read_file', toStep: 4 })).toEqual([
      '4 result',
      '4 reply',
      '1 result',
      '1 reply',
    ]);
    expect(await steps({ errors: true })).toEqual(['5 result', '2 result']);
    expect(await steps({ file: 'src/a.ts' })).toEqual(['3 result', '3 reply', '1 result', '1 reply']);
    expect(await steps({ file: 'b.ts' })).toEqual(['4 result', '4 reply']);
    expect(await steps({ file: './Makefile' })).toEqual(['6 result', '6 reply']);
    expect(await steps({ text: 'color', errors: true, fromStep: 3 })).toEqual(['5 result']);
    expect((await search(job, { text: 'color', file: 'src/a.ts' })).passages.map(({ step }) => step)).toEqual(
      [3, 1],
    );
  });

  it('finds what a result left out', async () => {
    const output = { step: 1, call_id: 'call-1', tool: 'shell', part: 1, text: 'line 15000: checksum 77aa' };
    const job = await jobWith(
      { type: 'tool.output', data: output },
      ...step(1, 'shell', { command: 'cat log' }, 'head\n[... left out ...]\ntail'),
    );
    const { passages } = await search(job, { text: 'checksum' });
    expect(passages).toMatchObject([{ kind: 'output', step: 1, text: 'line 15000: checksum 77aa' }]);
  });

  it('leaves out what recall itself asked and gave', async () => {
    const job = await jobWith(
      ...step(1, 'shell', { command: 'x' }, 'the answer is walrus'),
      ...step(2, 'recall', { query: 'walrus' }, '[event 3]\nthe answer is walrus'),
    );
    expect((await search(job, { text: 'walrus' })).total).toBe(1);
    const texts = await readTexts(test.store, job.jobId, [5, 6]);
    expect([5, 6].map((seq) => texts.get(seq)?.text)).toEqual([
      '> recall\nquery: walrus',
      '[event 3]\nthe answer is walrus',
    ]);
  });
});

describe('what is stored', () => {
  it('takes any text', async () => {
    const texts = [
      '',
      ' \n \n',
      'x'.repeat(100_000),
      '😀'.repeat(5_000),
      `${'\ud800'} half, NUL ${'\0'}`,
      `${'a/'.repeat(3_000)}end ${"'\\".repeat(500)}`,
      'word '.repeat(20_000),
    ];
    const job = await jobWith(...texts.flatMap((text, n) => step(n + 1, 'shell', { command: text }, text)));
    expect((await search(job, { text: 'half' })).total).toBeGreaterThan(0);
    expect((await search(job, { text: 'word', toStep: 7 })).total).toBe(100);
  });

  it('goes with its job', async () => {
    const job = await jobWith(...step(1, 'shell', { command: 'x' }, 'something'));
    await test.store.db.deleteFrom('jobs').where('id', '=', job.jobId).execute();
    expect((await search(job, { text: 'something' })).total).toBe(0);
  });
});
