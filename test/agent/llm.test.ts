import { beforeEach, describe, expect, it } from 'vitest';
import { INTERRUPTED } from '../../src/agent/context/render-turn.ts';
import { loadScript, type Script, type Turn } from '../../src/model/scripted/script.ts';
import { CodedError } from '../../src/protocol/errors.ts';
import { startTestSandbox } from '../support/sandbox.ts';
import { cleanWorkspace, readText, runLlm } from './harness.ts';

const { sandbox } = await startTestSandbox({ lasts: 'file' });
beforeEach(() => cleanWorkspace(sandbox));

const example = (name: string) => loadScript(`examples/scripts/${name}.json`);
const turns = (...list: Turn[]): Script => ({ tracks: [{ turns: list }] });
const sh = (command: string, more: object = {}): Turn => ({
  calls: [{ name: 'shell', input: { command, ...more } }],
});
const finish = (summary = 'Done.', success = true): Turn => ({
  calls: [{ name: 'finish', input: { summary, success } }],
});

describe.each(['openai-compatible/scripted', 'anthropic/claude-haiku-4-5'])('with %s', (model) => {
  it('builds, tests, mends and finishes', async () => {
    const run = await runLlm(await example('todo-app'), {
      sandbox,
      model,
      prompt: 'Build me a todo program.',
    });
    await expect(run.result).resolves.toEqual({ summary: expect.stringContaining('todo/todo.mjs') });
    expect(await readText(sandbox, 'todo/todos.json')).toContain('Ship it');
    expect(run.of('tool.result').map((result) => result.exit_code)).toEqual([
      null,
      null,
      null,
      1,
      null,
      null,
      null,
      0,
      null,
    ]);
    expect(run.of('model.reply')).toHaveLength(7);
    expect(run.logs.stdout).toMatch(/^I will look at the workspace first\.\n> list \.\n/);
    expect(run.logs.stdout).toContain('\n$ cd todo && node --test\n');
    expect(run.logs.stdout).toContain('[ ] 1 Ship it\n');
  });

  it('gets through every fault of a provider and of its own', async () => {
    const run = await runLlm(await example('faults'), { sandbox, model });
    await expect(run.result).resolves.toEqual({ summary: 'Wrote a.txt, b.txt and c.txt.' });
    expect(await Promise.all(['a.txt', 'b.txt', 'c.txt'].map((name) => readText(sandbox, name)))).toEqual([
      'a\n',
      'b\n',
      'c\n',
    ]);
    expect(run.of('model.retry')).toHaveLength(6);
    const errors = run.of('tool.result').filter((result) => result.is_error);
    expect(errors.map((result) => result.content)).toEqual([
      expect.stringContaining('no valid JSON'),
      expect.stringContaining('path'),
      expect.stringMatching(/The tools are: shell, .*, read_file, /),
    ]);
  });
});

describe('questions and messages', () => {
  it('asks, waits, and takes the answer as the result', async () => {
    const run = await runLlm(await example('ask'), {
      sandbox,
      onEvent: (event, { say }) => event.type === 'question.asked' && setTimeout(() => say('Blue.'), 5),
    });
    await run.result;
    expect(await readText(sandbox, 'colour.txt')).toBe('Blue.\n');
    expect(run.requests.at(-1)?.messages.filter((message) => message.text === 'Blue.')).toEqual([
      { role: 'tool', callId: 'call_1_1', text: 'Blue.' },
    ]);
  });

  it('shows a message at the next step, after the step that was under way', async () => {
    const run = await runLlm(turns(sh('echo one'), sh('echo two'), finish()), {
      sandbox,
      onEvent: (event, { say }) => event.type === 'tool.started' && event.data.step === 1 && say('Be quick.'),
    });
    await run.result;
    const roles = run.requests[1]?.messages.map(({ role, text }) => `${role} ${text.split('\n')[0]}`);
    expect(roles).toEqual(['user Do it.', 'assistant ', 'tool one', 'user Be quick.']);
  });

  it('does not finish over a message that the model has not seen', async () => {
    const run = await runLlm(turns(finish('first'), finish('second')), {
      sandbox,
      onEvent: (event, { say }) => event.type === 'model.reply' && event.data.step === 1 && say('Wait!'),
    });
    await expect(run.result).resolves.toEqual({ summary: 'second' });
    expect(run.requests[1]?.messages.at(-1)).toEqual({ role: 'user', text: 'Wait!' });
  });
});

describe('ends', () => {
  it('fails when the agent says so', async () => {
    const run = await runLlm(turns(finish('There is no such API.', false)), { sandbox });
    await expect(run.result).rejects.toMatchObject({
      code: 'AGENT_GAVE_UP',
      message: 'There is no such API.',
    });
  });

  it('does not finish in one breath with a call that fails, and runs nothing after finish', async () => {
    const run = await runLlm(
      turns(
        { calls: [{ name: 'shell', input: { command: 'false' } }, ...(finish('too early').calls ?? [])] },
        { calls: [...(finish('now').calls ?? []), { name: 'shell', input: { command: 'touch late' } }] },
      ),
      { sandbox },
    );
    await expect(run.result).resolves.toEqual({ summary: 'now' });
    expect(run.of('tool.result')[1]).toMatchObject({
      is_error: true,
      content: expect.stringContaining('failed'),
    });
    expect(run.of('tool.result')).toHaveLength(4);
    await expect(sandbox.stat('late')).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
  });

  it('reminds a model that only talks, three times', async () => {
    const run = await runLlm({ tracks: [{ turns: [{ text: 'All done!' }], repeat_from: 1 }] }, { sandbox });
    await expect(run.result).rejects.toMatchObject({
      code: 'MODEL_ANSWER_INVALID',
      message: expect.stringContaining('All done!'),
    });
    expect(run.requests).toHaveLength(4);
    expect(run.requests.at(-1)?.messages.at(-1)?.text).toContain('called no tool');
  });

  it('reminds a model that says nothing at all', async () => {
    let asked = 0;
    const run = await runLlm(() => (++asked === 1 ? {} : finish()), { sandbox });
    await expect(run.result).resolves.toEqual({ summary: 'Done.' });
    expect(run.requests[1]?.messages).toEqual([
      { role: 'user', text: expect.stringMatching(/^Do it\.\n\n\[Your reply was empty/) },
    ]);
  });

  it('warns of a loop, then ends it', async () => {
    const run = await runLlm(await example('loop'), { sandbox });
    await expect(run.result).rejects.toMatchObject({ code: 'LOOP_DETECTED' });
    const warned = run.of('tool.result').map((result) => result.content.includes('going in circles'));
    expect(warned).toEqual([false, false, true, true, true, true]);
  });

  it.each([
    ['STEP_LIMIT', { max_steps: 2 }],
    ['TOKEN_LIMIT', { max_tokens: 2_000 }],
  ])('stops at its budget: %s', async (code, limits) => {
    const run = await runLlm(turns(sh('echo 1'), sh('echo 2'), sh('echo 3')), { sandbox, limits });
    await expect(run.result).rejects.toMatchObject({ code });
  });

  it('stops at its cost, and refuses a cost limit that nobody could keep', async () => {
    const costly: Script = {
      tracks: [{ turns: [{ ...sh('date +%N'), usage: { input: 1_000_000 } }], repeat_from: 1 }],
    };
    const model = 'anthropic/claude-haiku-4-5';
    const run = await runLlm(costly, {
      sandbox,
      model,
      contextWindow: 10_000_000,
      limits: { max_cost_usd: 2.5 },
    });
    await expect(run.result).rejects.toMatchObject({ code: 'COST_LIMIT' });
    expect(run.of('model.reply')).toHaveLength(3);

    const unknown = await runLlm(costly, { sandbox, limits: { max_cost_usd: 2.5 } });
    await expect(unknown.result).rejects.toMatchObject({
      code: 'COST_LIMIT',
      message: expect.stringContaining('price'),
    });
    expect(unknown.requests).toHaveLength(0);
  });

  it('ends typed when the conversation no longer fits, by its own count or by the provider’s', async () => {
    const known = await runLlm(turns(finish()), {
      sandbox,
      contextWindow: 4_000,
      prompt: 'word '.repeat(4_000),
    });
    await expect(known.result).rejects.toMatchObject({ code: 'CONTEXT_OVERFLOW' });
    expect(known.requests).toHaveLength(0);

    const told = await runLlm({ context_window: 500, tracks: [{ turns: [finish()] }] }, { sandbox });
    await expect(told.result).rejects.toMatchObject({ code: 'CONTEXT_OVERFLOW' });
  });

  it('ends at once when aborted, in a command and in a reply', async () => {
    for (const turn of [sh('sleep 60'), { ...finish(), delay_ms: 60_000 }]) {
      const abort = new AbortController();
      const started = performance.now();
      const run = await runLlm(turns(sh('true'), turn), {
        sandbox,
        signal: abort.signal,
        onEvent(event) {
          if (event.type === 'tool.result' && event.data.step === 1)
            setTimeout(() => abort.abort(new CodedError('JOB_TIMEOUT', 'late')), 200);
        },
      });
      await expect(run.result).rejects.toMatchObject({ code: 'JOB_TIMEOUT' });
      expect(performance.now() - started).toBeLessThan(3_000);
    }
  });
});

describe('after a crash', () => {
  const script = turns(
    {
      text: 'Two at once.',
      calls: [
        { name: 'write_file', input: { path: 'a', content: 'A' } },
        { name: 'shell', input: { command: 'echo x >>b' } },
      ],
    },
    { calls: [{ name: 'ask_user', input: { question: 'Which?' } }] },
    { text: 'Only talk.' },
    sh('cat a b'),
    finish('all of it'),
  );
  const answer = {
    onEvent: (event: { type: string }, { say }: { say(text: string): void }) =>
      event.type === 'question.asked' && say('This.'),
  };

  it('goes on from wherever the log ends, each call with one result', async () => {
    const whole = await runLlm(script, { sandbox, ...answer });
    await whole.result;
    expect(whole.events.length).toBeGreaterThan(15);
    for (let cut = 0; cut <= whole.events.length; cut += 1) {
      const run = await runLlm(script, { sandbox, history: whole.events.slice(0, cut), ...answer });
      await expect(run.result, `cut after ${cut} events`).resolves.toEqual({ summary: 'all of it' });
      const results = run.of('tool.result').map(({ step, call_id }) => `${step} ${call_id}`);
      expect(new Set(results).size).toBe(results.length);
      expect(results).toHaveLength(5);
    }
  });

  it('says of a call under way that it was interrupted, and does not repeat it', async () => {
    const whole = await runLlm(script, { sandbox, ...answer });
    const cut = whole.events.findIndex(
      (event) => event.type === 'tool.result' && event.data.tool === 'shell',
    );
    await cleanWorkspace(sandbox);
    const run = await runLlm(script, { sandbox, history: whole.events.slice(0, cut), ...answer });
    await run.result;
    expect(run.of('tool.result')[1]).toMatchObject({ content: INTERRUPTED, is_error: true });
    expect(run.of('tool.result').at(-2)?.content).toContain('No such file');
  });
});
