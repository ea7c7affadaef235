import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';
import { createModel } from '../../src/model/create-model.ts';
import type { ModelMessage, ModelReply } from '../../src/model/model.ts';

/** What reasoning models send beside text and calls has to go back to them as it came: over each provider's own wire. */

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

interface Sent {
  path: string;
  // biome-ignore lint/suspicious/noExplicitAny: the test looks into bodies of three shapes
  body: any;
}

/** Answers each request with these events, and remembers what was asked. */
async function serve(events: object[], named: boolean): Promise<{ url: string; sent: Sent[] }> {
  const sent: Sent[] = [];
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    sent.push({ path: request.url ?? '', body: JSON.parse(Buffer.concat(chunks).toString()) });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const type = (event: object) => (named ? `event: ${(event as { type: string }).type}\n` : '');
    response.end(events.map((event) => `${type(event)}data: ${JSON.stringify(event)}\n\n`).join(''));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server?.once('listening', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent };
}

/** Asks twice, giving the first reply back with a result; resolves with the first reply and the second request. */
async function talk(id: string, events: object[], named = true): Promise<{ reply: ModelReply; back: Sent }> {
  const { url, sent } = await serve(events, named);
  const model = createModel(
    {
      MODEL_TIMEOUT_S: 5,
      MODEL_CONTEXT_WINDOW: undefined,
      MODEL_IMAGES: true,
      OPENAI_API_KEY: 'k',
      OPENAI_BASE_URL: url,
      ANTHROPIC_API_KEY: 'k',
      ANTHROPIC_BASE_URL: url,
      GOOGLE_GENERATIVE_AI_API_KEY: 'k',
      GOOGLE_BASE_URL: url,
    },
    id,
  );
  const ask = (messages: ModelMessage[]) =>
    model.reply({
      system: 'You add.',
      messages,
      tools: [
        {
          name: 'add',
          description: 'Adds.',
          input: z.strictObject({ a: z.number(), b: z.number().optional() }),
        },
      ],
      signal: new AbortController().signal,
      cacheKey: 'job 1',
      replyTokens: 5_000,
    });
  const task: ModelMessage = { role: 'user', content: [{ type: 'text', text: '1 + 2?' }] };
  const reply = await ask([task]);
  expect(reply.toolCalls).toEqual([{ id: expect.any(String), name: 'add', input: { a: 1 } }]);
  const stored = JSON.parse(JSON.stringify(reply.provider)) as ModelMessage;
  const toolCallId = reply.toolCalls[0]?.id ?? '';
  await ask([
    task,
    stored,
    {
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId, toolName: 'add', output: { type: 'text', value: '3' } }],
    },
  ]);
  const [, back] = sent;
  if (!back) throw new Error('there was no second request');
  return { reply, back };
}

it('anthropic: thinking and its signature', async () => {
  const block = (index: number, content_block: object, ...deltas: object[]) => [
    { type: 'content_block_start', index, content_block },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
  const { reply, back } = await talk('anthropic/claude-sonnet-5-5', [
    {
      type: 'message_start',
      message: {
        id: 'm',
        type: 'message',
        role: 'assistant',
        model: 'x',
        content: [],
        stop_reason: null,
        usage: { input_tokens: 10, cache_read_input_tokens: 90, output_tokens: 1 },
      },
    },
    ...block(
      0,
      { type: 'thinking', thinking: '' },
      { type: 'thinking_delta', thinking: 'Add them.' },
      { type: 'signature_delta', signature: 'SIGNED' },
    ),
    ...block(
      1,
      { type: 'tool_use', id: 'c1', name: 'add', input: {} },
      { type: 'input_json_delta', partial_json: '{"a": 1}' },
    ),
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 20 } },
    { type: 'message_stop' },
  ]);
  expect(reply.usage).toMatchObject({ input_tokens: 100, cached_input_tokens: 90, output_tokens: 20 });
  expect(reply.usage.cost_usd).toBeCloseTo((10 * 2 + 90 * 0.1 + 20 * 10) / 1e6, 9);
  expect(back.path).toBe('/messages');
  expect(back.body.max_tokens).toBe(5_000);
  // Marks for the cache: what stays the same longest, the last message, and what was the last one before.
  const marked = { cache_control: { type: 'ephemeral' } };
  expect(back.body.system.at(-1)).toMatchObject(marked);
  expect(back.body.messages[0].content.at(-1)).toMatchObject(marked);
  expect(back.body.messages.at(-1).content.at(-1)).toMatchObject(marked);
  expect(JSON.stringify(back.body).match(/cache_control/g)).toHaveLength(3);
  expect(back.body.messages[1].content).toMatchObject([
    { type: 'thinking', thinking: 'Add them.', signature: 'SIGNED' },
    { type: 'tool_use', id: 'c1', name: 'add', input: { a: 1 } },
  ]);
  expect(back.body.messages[2].content).toMatchObject([
    { type: 'tool_result', tool_use_id: 'c1', content: '3' },
  ]);
  expect(back.body.tools[0].input_schema).toMatchObject({
    type: 'object',
    required: ['a'],
    additionalProperties: false,
  });
});

it('openai: encrypted reasoning, nothing stored or referred to there', async () => {
  const reasoning = { type: 'reasoning', id: 'rs_1', encrypted_content: 'SEALED', summary: [] };
  const call = {
    type: 'function_call',
    id: 'fc_1',
    call_id: 'c1',
    name: 'add',
    arguments: '{"a": 1}',
    status: 'completed',
  };
  const usage = {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 60 },
    output_tokens: 20,
    output_tokens_details: { reasoning_tokens: 5 },
  };
  const { reply, back } = await talk('openai/gpt-5.6', [
    { type: 'response.created', response: { id: 'r', created_at: 0, model: 'x' } },
    { type: 'response.output_item.added', output_index: 0, item: { ...reasoning, encrypted_content: '' } },
    { type: 'response.output_item.done', output_index: 0, item: reasoning },
    {
      type: 'response.output_item.added',
      output_index: 1,
      item: { ...call, arguments: '', status: 'in_progress' },
    },
    { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 1, delta: '{"a": 1}' },
    { type: 'response.output_item.done', output_index: 1, item: call },
    { type: 'response.completed', response: { usage } },
  ]);
  expect(reply.usage).toMatchObject({ input_tokens: 100, cached_input_tokens: 60, output_tokens: 20 });
  expect(back.path).toBe('/responses');
  expect(back.body.max_output_tokens).toBeUndefined();
  expect(back.body.prompt_cache_key).toBe('job 1');
  expect(back.body).toMatchObject({ store: false, include: ['reasoning.encrypted_content'] });
  expect(back.body.input).toMatchObject([
    { role: expect.stringMatching(/system|developer/), content: 'You add.' },
    { role: 'user' },
    { type: 'reasoning', encrypted_content: 'SEALED' },
    { type: 'function_call', call_id: 'c1', name: 'add' },
    { type: 'function_call_output', call_id: 'c1', output: '3' },
  ]);
  expect(JSON.stringify(back.body)).not.toContain('item_reference');
});

it('google: thought signatures', async () => {
  const usageMetadata = {
    promptTokenCount: 100,
    cachedContentTokenCount: 60,
    candidatesTokenCount: 15,
    thoughtsTokenCount: 5,
    totalTokenCount: 120,
  };
  const parts = [{ functionCall: { name: 'add', args: { a: 1 } }, thoughtSignature: 'SIGNED' }];
  const { reply, back } = await talk(
    'google/gemini-3.8-flash',
    [{ candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }], usageMetadata }],
    false,
  );
  expect(reply.usage).toMatchObject({ input_tokens: 100, cached_input_tokens: 60, output_tokens: 20 });
  expect(back.path).toContain('/models/gemini-3.8-flash:streamGenerateContent');
  expect(back.body.contents[1].parts).toMatchObject([
    { functionCall: { name: 'add', args: { a: 1 } }, thoughtSignature: 'SIGNED' },
  ]);
  expect(back.body.contents[2].parts[0].functionResponse).toMatchObject({ name: 'add' });
});
