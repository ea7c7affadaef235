import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createModel } from '../../src/model/create-model.ts';
import type { ModelMessage } from '../../src/model/model.ts';

/** A plot that a tool gave must reach each provider as an image, over its own wire. */

const IMAGE = Buffer.from('the bytes of an image').toString('base64');

const MESSAGES: ModelMessage[] = [
  { role: 'user', content: [{ type: 'text', text: 'Plot it.' }] },
  { role: 'assistant', content: [{ type: 'tool-call', toolCallId: 'a', toolName: 'python', input: {} }] },
  {
    role: 'tool',
    content: [
      {
        type: 'tool-result',
        toolCallId: 'a',
        toolName: 'python',
        output: {
          type: 'content',
          value: [
            { type: 'text', text: 'here:' },
            { type: 'file', mediaType: 'image/png', data: { type: 'data', data: IMAGE } },
          ],
        },
      },
    ],
  },
];

/** What is sent to a model; the answer is a refusal. */
async function sentTo(id: string, messages: ModelMessage[], images = true): Promise<Record<string, unknown>> {
  let body = '';
  const server = createServer(async (request, response) => {
    for await (const chunk of request) body += chunk;
    response.writeHead(400).end('{}');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const model = createModel(
    {
      MODEL_TIMEOUT_S: 5,
      MODEL_CONTEXT_WINDOW: undefined,
      MODEL_IMAGES: images,
      OPENAI_API_KEY: 'k',
      OPENAI_BASE_URL: url,
      ANTHROPIC_API_KEY: 'k',
      ANTHROPIC_BASE_URL: url,
      GOOGLE_GENERATIVE_AI_API_KEY: 'k',
      GOOGLE_BASE_URL: url,
    },
    id,
  );
  const request = { system: 'You plot.', messages, tools: [], signal: new AbortController().signal };
  await expect(model.reply(request)).rejects.toThrow();
  return JSON.parse(body);
}

it('anthropic: in the result', async () => {
  const { messages } = await sentTo('anthropic/claude-haiku-4-5', MESSAGES);
  expect((messages as { content: object[] }[]).at(-1)?.content).toMatchObject([
    {
      type: 'tool_result',
      content: [
        { type: 'text', text: 'here:' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: IMAGE } },
      ],
    },
  ]);
});

it('openai: in the result', async () => {
  const { input } = await sentTo('openai/gpt-5.5', MESSAGES);
  expect((input as object[]).at(-1)).toMatchObject({
    type: 'function_call_output',
    output: [
      { type: 'input_text', text: 'here:' },
      { type: 'input_image', image_url: `data:image/png;base64,${IMAGE}` },
    ],
  });
});

it('google: in the result', async () => {
  const { contents } = await sentTo('google/gemini-3-flash', MESSAGES);
  expect(JSON.stringify((contents as object[]).at(-1))).toContain(
    JSON.stringify({ mimeType: 'image/png', data: IMAGE }).slice(1, -1),
  );
});

const shown = { type: 'image_url', image_url: { url: `data:image/png;base64,${IMAGE}` } };
const said = { type: 'text', text: '[The images of the results above, in order.]' };
const result = { role: 'tool', tool_call_id: 'a', content: 'here:\n[an image, shown in the next message]' };

it('openai-compatible: in a message of the user after it', async () => {
  const { messages } = await sentTo('openai-compatible/any', MESSAGES);
  expect((messages as object[]).slice(3)).toEqual([result, { role: 'user', content: [said, shown] }]);
});

it('openai-compatible: in the message of the user that comes anyhow', async () => {
  const more: ModelMessage = { role: 'user', content: [{ type: 'text', text: 'Blue!' }] };
  const { messages } = await sentTo('openai-compatible/any', [...MESSAGES, more, ...MESSAGES.slice(1)]);
  const blue = { type: 'text', text: 'Blue!' };
  expect((messages as object[]).slice(3)).toMatchObject([
    result,
    { role: 'user', content: [said, shown, blue] },
    { role: 'assistant' },
    result,
    { role: 'user', content: [said, shown] },
  ]);
});

it('a model that cannot see is told that there was one', async () => {
  for (const id of ['anthropic/claude-haiku-4-5', 'openai-compatible/any']) {
    const sent = JSON.stringify(await sentTo(id, MESSAGES, false));
    expect(sent).toContain('an image, which this model cannot see');
    expect(sent).not.toContain(IMAGE);
  }
});
