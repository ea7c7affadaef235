import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { loadScript, type Script } from '../../src/model/scripted/script.ts';
import { type ScriptedModelServer, startScriptedModelServer } from '../../src/model/scripted/server.ts';

let server: ScriptedModelServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function post(script: Script, path: string, body: object | string) {
  server ??= await startScriptedModelServer({ script });
  const response = await fetch(server.url + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of two protocols
  return { status: response.status, json: (await response.json()) as any };
}
const chat = (messages: object[], script: Script = SCRIPT) =>
  post(script, '/v1/chat/completions', {
    model: 'm',
    messages: [{ role: 'system', content: 's' }, ...messages],
  });
const claude = (messages: object[], script: Script = SCRIPT) =>
  post(script, '/v1/messages', { model: 'm', max_tokens: 10, system: 's', messages });

const SCRIPT: Script = {
  tracks: [
    { when: 'again', turns: [{ text: 'first' }, { text: 'second' }, { text: 'third' }], repeat_from: 2 },
    {
      turns: [
        {
          text: 'You said {{prompt}}.',
          calls: [{ name: 'f', input: { got: '{{result 1}} {{result -1}} {{last_message}}' } }],
        },
        { text: 'got {{result 1}}' },
      ],
    },
  ],
};
const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
const toolUse = (id: string) => ({ type: 'tool_use', id, name: 'f', input: {} });
const toolResult = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'r' });
const user = { role: 'user', content: 'hello' };

describe('answers', () => {
  it('in both protocols without a stream, the templates filled in', async () => {
    const openai = await chat([user]);
    expect(openai.json.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'You said hello.',
        tool_calls: [{ id: 'call_1_1', function: { arguments: '{"got":"  hello"}' } }],
      },
    });
    const anthropic = await claude([user]);
    expect(anthropic.json).toMatchObject({
      stop_reason: 'tool_use',
      content: [
        { type: 'text', text: 'You said hello.' },
        { type: 'tool_use', id: 'call_1_1' },
      ],
    });
  });

  it('with the turn that follows from the conversation, whoever asks and however often', async () => {
    const talk = (replies: number) => [
      { role: 'user', content: 'again' },
      ...Array.from({ length: replies }, (_, n) => [{ role: 'assistant', content: `${n}` }, user]).flat(),
    ];
    const asked = [0, 1, 2, 3, 4, 5, 1, 0];
    const texts = await Promise.all(
      asked.map(async (n) => (await chat(talk(n))).json.choices[0].message.content),
    );
    expect(texts).toEqual(['first', 'second', 'third', 'second', 'third', 'second', 'second', 'first']);
  });

  it('refuses more turns than there are, and other addresses', async () => {
    const talk = [user, { role: 'assistant', content: 'a' }, user, { role: 'assistant', content: 'b' }, user];
    expect(await chat(talk)).toMatchObject({
      status: 400,
      json: { error: { message: expect.stringContaining('turn 3') } },
    });
    expect((await post(SCRIPT, '/v2', {})).status).toBe(404);
    expect((await post(SCRIPT, '/v1/messages', '{')).status).toBe(400);
  });
});

describe('is as strict as a provider about chat completions', () => {
  it.each([
    ['a call without a result', [user, { role: 'assistant', tool_calls: [call('a')] }, user]],
    ['a call without a result at the end', [user, { role: 'assistant', tool_calls: [call('a')] }]],
    [
      'a result twice',
      [
        user,
        { role: 'assistant', tool_calls: [call('a')] },
        ...['a', 'a'].map((id) => ({ role: 'tool', tool_call_id: id, content: 'r' })),
      ],
    ],
    [
      'results out of order',
      [
        user,
        { role: 'assistant', tool_calls: [call('a'), call('b')] },
        ...['b', 'a'].map((id) => ({ role: 'tool', tool_call_id: id, content: 'r' })),
      ],
    ],
    ['a result without a call', [user, { role: 'tool', tool_call_id: 'a', content: 'r' }]],
    ['the same id twice in a reply', [user, { role: 'assistant', tool_calls: [call('a'), call('a')] }]],
    [
      'arguments that are no JSON',
      [user, { role: 'assistant', tool_calls: [{ ...call('a'), function: { name: 'f', arguments: '{' } }] }],
    ],
    ['an empty message', [user, { role: 'assistant', content: ' ' }, user]],
    ['an empty message of the user', [{ role: 'user', content: '' }]],
    ['the assistant first', [{ role: 'assistant', content: 'a' }, user]],
    ['nothing', []],
  ])('%s', async (_, messages) => {
    expect((await chat(messages)).status).toBe(400);
  });
});

describe('is as strict as a provider about messages', () => {
  it.each([
    ['two of the user’s in a row', [user, user]],
    ['an empty text block', [{ role: 'user', content: [{ type: 'text', text: '' }] }]],
    ['a use without a result', [user, { role: 'assistant', content: [toolUse('a')] }, user]],
    [
      'a result after text',
      [
        user,
        { role: 'assistant', content: [toolUse('a')] },
        { role: 'user', content: [{ type: 'text', text: 'x' }, toolResult('a')] },
      ],
    ],
    [
      'an input that is no object',
      [
        user,
        { role: 'assistant', content: [{ ...toolUse('a'), input: 'text' }] },
        { role: 'user', content: [toolResult('a')] },
      ],
    ],
    ['the assistant last', [user, { role: 'assistant', content: 'a' }]],
  ])('%s', async (_, messages) => {
    expect((await claude(messages)).status).toBe(400);
  });

  it('and takes what is right', async () => {
    const messages = [
      user,
      { role: 'assistant', content: [toolUse('a'), toolUse('b')] },
      { role: 'user', content: [toolResult('a'), toolResult('b'), { type: 'text', text: 'and?' }] },
    ];
    expect((await claude(messages)).json.content).toEqual([{ type: 'text', text: 'got r' }]);
  });
});

describe('loadScript', () => {
  it('reads every example', async () => {
    const files = await readdir('examples/scripts');
    expect(files.length).toBeGreaterThan(3);
    for (const file of files)
      expect(await loadScript(join('examples/scripts', file))).toHaveProperty('tracks');
  });

  it('reads a function from a module, and says what is wrong with a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'script-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(
      join(folder, 'a.mjs'),
      'export default ({ messages }) => ({ text: String(messages.length) });',
    );
    await writeFile(join(folder, 'b.json'), '{"tracks": [{"turns": [{"txt": "x"}]}]}');
    const { json } = await chat([user], await loadScript(join(folder, 'a.mjs')));
    expect(json.choices[0].message.content).toBe('1');
    await expect(loadScript(join(folder, 'b.json'))).rejects.toThrow(/b\.json is not a script:[\s\S]*txt/);
  });
});
