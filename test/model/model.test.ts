import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createModel } from '../../src/model/create-model.ts';
import type { ModelMessage, ModelReply, ModelRequest } from '../../src/model/model.ts';
import type { Fault, ScriptFile, Turn } from '../../src/model/scripted/script.ts';
import { type ScriptedModelServer, startScriptedModelServer } from '../../src/model/scripted/server.ts';
import { CodedError } from '../../src/protocol/errors.ts';

const KEY = 'sk-test-0123456789abcdef';
const QUICK = { attempts: 3, baseDelayMs: 1, maxDelayMs: 5, maxRetryAfterMs: 2_000 };
const PROVIDERS = ['openai-compatible/scripted', 'anthropic/claude-haiku-4-5'] as const;

let server: ScriptedModelServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(turns: Turn[], more: Partial<ScriptFile> & { apiKey?: string } = {}) {
  const { apiKey, ...script } = more;
  server = await startScriptedModelServer({
    script: { tracks: [{ turns }], ...script },
    ...(apiKey && { apiKey }),
  });
  return server;
}

function model(id: string, settings: { timeoutS?: number; key?: string; url?: string } = {}) {
  const url = `${settings.url ?? server?.url}/v1`;
  return createModel(
    {
      MODEL_TIMEOUT_S: settings.timeoutS ?? 10,
      MODEL_IMAGES: true,
      OPENAI_API_KEY: settings.key ?? KEY,
      OPENAI_BASE_URL: url,
      ANTHROPIC_API_KEY: settings.key ?? KEY,
      ANTHROPIC_BASE_URL: url,
    } as Parameters<typeof createModel>[0],
    id,
    QUICK,
  );
}

const user = (text: string): ModelMessage => ({ role: 'user', content: [{ type: 'text', text }] });
const result = (id: string, value: string): ModelMessage => ({
  role: 'tool',
  content: [{ type: 'tool-result', toolCallId: id, toolName: 'add', output: { type: 'text', value } }],
});

const request = (more: Partial<ModelRequest> = {}): ModelRequest => ({
  system: 'You add.',
  messages: [user('1 + 2?')],
  tools: [{ name: 'add', description: 'Adds.', input: z.object({ a: z.number(), b: z.number() }) }],
  signal: new AbortController().signal,
  ...more,
});

async function failure(promise: Promise<ModelReply>): Promise<CodedError> {
  const error = await promise.then(
    () => 'it succeeded',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CodedError);
  return error as CodedError;
}

describe.each(PROVIDERS)('%s', (id) => {
  it('gives text as it comes, tool calls put together from fragments, and usage', async () => {
    await serve([
      {
        text: 'Let me add these two numbers for you.',
        calls: [
          { name: 'add', input: { a: 1, b: 2 } },
          { name: 'add', input: { a: 3, b: 4, note: 'ünï'.repeat(30) } },
        ],
        usage: { input: 100, cached: 40, output: 7 },
      },
    ]);
    const pieces: string[] = [];
    const reply = await model(id).reply(request({ onText: (text) => void pieces.push(text) }));
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe(reply.text);
    expect(reply).toMatchObject({
      model: id,
      text: 'Let me add these two numbers for you.',
      finishReason: 'tool-calls',
      usage: { input_tokens: 100, cached_input_tokens: 40, output_tokens: 7 },
      toolCalls: [
        { id: 'call_1_1', name: 'add', input: { a: 1, b: 2 } },
        { id: 'call_1_2', name: 'add', input: { a: 3, b: 4, note: 'ünï'.repeat(30) } },
      ],
    });
    expect(JSON.parse(JSON.stringify(reply.provider))).toEqual(reply.provider);
  });

  it('takes its own reply back, with results', async () => {
    const { requests } = await serve([
      { text: 'Adding.', calls: [{ name: 'add', input: { a: 1, b: 2 } }] },
      { text: 'It is {{result -1}}.' },
    ]);
    const first = await model(id).reply(request());
    const second = await model(id).reply(
      request({ messages: [user('1 + 2?'), first.provider, result('call_1_1', '3')] }),
    );
    expect(second.text).toBe('It is 3.');
    expect(requests.at(-1)?.messages).toEqual([
      { role: 'user', text: '1 + 2?' },
      { role: 'assistant', text: 'Adding.', calls: [{ id: 'call_1_1', name: 'add', input: { a: 1, b: 2 } }] },
      { role: 'tool', callId: 'call_1_1', text: '3' },
    ]);
    expect(requests.at(-1)?.tools).toEqual(['add']);
  });

  it('keeps broken arguments as text, and the provider takes the call back', async () => {
    await serve([{ calls: [{ name: 'add', arguments: '{"a": 1, "b' }] }, { text: 'Sorry.' }]);
    const first = await model(id).reply(request());
    expect(first.toolCalls).toEqual([{ id: 'call_1_1', name: 'add', input: '{"a": 1, "b' }]);
    const messages = [user('1 + 2?'), first.provider, result('call_1_1', 'not valid JSON')];
    expect((await model(id).reply(request({ messages }))).text).toBe('Sorry.');
  });

  it('tells calls with the same id apart', async () => {
    await serve([
      {
        calls: [
          { name: 'add', id: 'x', input: { a: 1, b: 2 } },
          { name: 'add', id: 'x', input: { a: 3, b: 4 } },
        ],
      },
    ]);
    const { toolCalls } = await model(id).reply(request());
    expect(toolCalls[0]?.id).toBe('x');
    expect(new Set(toolCalls.map((call) => call.id)).size).toBe(2);
  });

  const passing: [string, Fault][] = [
    ['429 with retry-after', { status: 429, retry_after: 0.05 }],
    ['500', { status: 500 }],
    ['503', { status: 503 }],
    ['529', { status: 529, message: 'Overloaded' }],
    ['408', { status: 408 }],
    ['a stream cut at once', { cut_after: 0 }],
    ['a stream cut in the middle', { cut_after: 3 }],
    ['a stream that ends without saying why', { end_after: 3 }],
    ['an error in the stream', { stream_error: 'Overloaded' }],
  ];
  it.each(passing)('tries again after %s', async (_, fault) => {
    const { requests } = await serve([
      { text: 'Here is the whole answer, at last.', faults: [fault, fault] },
    ]);
    const reasons: string[] = [];
    const reply = await model(id).reply(request({ onRetry: (retry) => void reasons.push(retry.reason) }));
    expect(reply.text).toBe('Here is the whole answer, at last.');
    expect(requests).toHaveLength(3);
    expect(reasons).toHaveLength(2);
    expect(reasons.join()).not.toContain(KEY);
  });

  it('waits as long as the provider asks', async () => {
    await serve([{ text: 'Yes.', faults: [{ status: 429, retry_after: 0.3 }] }]);
    const delays: number[] = [];
    const started = performance.now();
    await model(id).reply(request({ onRetry: ({ delayMs }) => void delays.push(delayMs) }));
    expect(delays).toEqual([300]);
    expect(performance.now() - started).toBeGreaterThan(290);
  });

  it('gives up when every try fails, or when the wait asked for is too long', async () => {
    const fault = { status: 503, message: 'down for maintenance' };
    await serve([{ text: 'never', faults: [fault, fault, fault] }]);
    const error = await failure(model(id).reply(request()));
    expect(error.code).toBe('MODEL_UNAVAILABLE');
    expect(error.message).toContain('Tried 3 times');
    expect(error.message).toContain('down for maintenance');

    await server?.close();
    const { requests } = await serve([{ text: 'never', faults: [{ status: 429, retry_after: 3_600 }] }]);
    expect((await failure(model(id).reply(request()))).code).toBe('MODEL_UNAVAILABLE');
    expect(requests).toHaveLength(1);
  });

  it('gives up a server that is not there', async () => {
    const error = await failure(model(id, { url: 'http://127.0.0.1:9' }).reply(request()));
    expect(error.code).toBe('MODEL_UNAVAILABLE');
  });

  it.each([
    ['MODEL_AUTH_FAILED', 'a refused key', { status: 401, message: `Incorrect API key provided: ${KEY}.` }],
    ['MODEL_AUTH_FAILED', 'a forbidden model', { status: 403, message: 'not for you' }],
    [
      'MODEL_REJECTED',
      'a bad request',
      { status: 400, message: `temperature is wrong ${'x'.repeat(5_000)}` },
    ],
    ['MODEL_REJECTED', 'an unknown model', { status: 404, message: 'no such model' }],
    [
      'MODEL_REJECTED',
      'a spent account',
      { status: 429, message: 'insufficient_quota: check your plan and billing details' },
    ],
    ['CONTEXT_OVERFLOW', 'a prompt too long', { overflow: true }],
    ['CONTEXT_OVERFLOW', 'a body too large', { status: 413, message: 'Request exceeds the maximum size' }],
  ] as [string, string, Fault][])('fails with %s at once on %s', async (code, _, fault) => {
    const { requests } = await serve([{ text: 'never', faults: [fault] }]);
    const error = await failure(model(id).reply(request()));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain(KEY);
    expect(error.message.length).toBeLessThan(1_200);
    expect(requests).toHaveLength(1);
    expect(JSON.stringify(error) + String(error.cause) + error.stack).not.toContain(KEY);
  });

  it('never shows the key that the provider refused', async () => {
    await serve([{ text: 'never' }], { apiKey: 'another' });
    const error = await failure(model(id).reply(request()));
    expect(error).toMatchObject({ code: 'MODEL_AUTH_FAILED', message: expect.stringContaining('[key]') });
    expect(error.message).not.toContain(KEY);
  });

  it('gives up a stream that falls silent and tries again', async () => {
    await serve([{ text: 'Here is the whole answer.', faults: [{ stall_after: 2 }] }]);
    const reasons: string[] = [];
    const reply = await model(id, { timeoutS: 0.2 }).reply(
      request({ onRetry: ({ reason }) => void reasons.push(reason) }),
    );
    expect(reply.text).toBe('Here is the whole answer.');
    expect(reasons).toEqual(['no piece of the reply came within 0.2 s']);
  });

  it.each([
    ['before the first piece', { delay_ms: 20_000 }],
    ['in mid-stream', { faults: [{ stall_after: 2 }] }],
    ['while it waits to try again', { faults: [{ status: 429, retry_after: 1.9 }] }],
  ] as [string, Turn][])('ends at once when aborted %s', async (_, turn) => {
    const { requests } = await serve([{ text: 'never', ...turn }]);
    const abort = new AbortController();
    const reply = model(id).reply(request({ signal: abort.signal }));
    const settled = reply.catch((error: unknown) => error);
    await expect.poll(() => requests.length).toBe(1);
    const aborted = performance.now();
    abort.abort(new CodedError('JOB_TIMEOUT', 'out of time'));
    expect(await settled).toMatchObject({ code: 'JOB_TIMEOUT' });
    expect(performance.now() - aborted).toBeLessThan(500);
  });

  it('does not take a fault of the listener for one of the provider', async () => {
    const { requests } = await serve([{ text: 'Yes.' }]);
    const fault = new Error('the log cannot be written');
    const reply = model(id).reply(request({ onText: () => Promise.reject(fault) }));
    await expect(reply).rejects.toBe(fault);
    expect(requests).toHaveLength(1);
  });

  it('gives an empty reply as it is', async () => {
    await serve([{}]);
    const reply = await model(id).reply(request());
    expect(reply).toMatchObject({ text: '', toolCalls: [], finishReason: 'stop' });
    expect(reply.provider).toEqual({ role: 'assistant', content: [] });
  });
});

describe('createModel', () => {
  const settings = { MODEL_TIMEOUT_S: 1 } as Parameters<typeof createModel>[0];

  it.each(['gpt-5', 'anthropic/', 'mistral/large', '/x', 'constructor/x'])('does not know "%s"', (id) => {
    expect(() => createModel(settings, id)).toThrow(expect.objectContaining({ code: 'MODEL_UNKNOWN' }));
  });

  it.each([
    ['anthropic/x', 'ANTHROPIC_API_KEY'],
    ['openai/x', 'OPENAI_API_KEY'],
    ['google/x', 'GOOGLE_GENERATIVE_AI_API_KEY'],
    ['openai-compatible/x', 'OPENAI_BASE_URL'],
  ])('names the variable that %s needs', (id, variable) => {
    expect(() => createModel(settings, id)).toThrow(
      expect.objectContaining({ code: 'MODEL_NOT_CONFIGURED', hint: expect.stringContaining(variable) }),
    );
  });

  it('knows windows and prices of the catalog, and takes the operator’s window first', () => {
    const keyed = { ...settings, ANTHROPIC_API_KEY: KEY };
    expect(createModel(keyed, 'anthropic/claude-haiku-4-5')).toMatchObject({
      contextWindow: 200_000,
      priced: true,
    });
    expect(createModel(keyed, 'anthropic/claude-haiku-4-5-20251001').contextWindow).toBe(200_000);
    expect(createModel(keyed, 'anthropic/of-tomorrow')).toMatchObject({ contextWindow: null, priced: false });
    const own = { ...keyed, MODEL_CONTEXT_WINDOW: 50_000 };
    expect(createModel(own, 'anthropic/claude-haiku-4-5').contextWindow).toBe(50_000);
  });

  it('takes the operator’s own entries first, member by member', () => {
    const MODEL_CATALOG = {
      'anthropic/claude-haiku-4-5': { context: 90_000 },
      'openai-compatible/qwen': { price: { input: 1, output: 2 } },
    };
    const own = { ...settings, ANTHROPIC_API_KEY: KEY, OPENAI_BASE_URL: 'http://localhost', MODEL_CATALOG };
    const windows = { ...own, MODEL_CONTEXT_WINDOW: 50_000 };
    expect(createModel(windows, 'anthropic/claude-haiku-4-5-20251001')).toMatchObject({
      contextWindow: 90_000,
      priced: true,
    });
    expect(createModel(windows, 'openai-compatible/qwen')).toMatchObject({
      contextWindow: 50_000,
      priced: true,
    });
    expect(createModel(own, 'openai-compatible/other')).toMatchObject({ contextWindow: null, priced: false });
  });

  it('counts the cost with cached tokens at their own price', async () => {
    await serve([{ text: 'Yes.', usage: { input: 1_000_000, cached: 600_000, output: 100_000 } }]);
    const { usage } = await model('anthropic/claude-haiku-4-5').reply(request());
    expect(usage.cost_usd).toBeCloseTo(0.4 * 1 + 0.6 * 0.1 + 0.1 * 5);
    const compatible = await model('openai-compatible/x').reply(request());
    expect(compatible.usage.cost_usd).toBeNull();
  });
});
