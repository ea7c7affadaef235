import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeBudget } from '../../src/agent/context/budget.ts';
import { makeRoom } from '../../src/agent/context/compact.ts';
import { layered } from '../../src/agent/context/layered.ts';
import { Transcript } from '../../src/agent/context/transcript.ts';
import { View } from '../../src/agent/context/view.ts';
import { readConfig } from '../../src/config.ts';
import type { ModelMessage, ModelReply } from '../../src/model/model.ts';
import type { JobEvent, NewEvent } from '../../src/protocol/events.ts';
import { ContextResponse } from '../../src/protocol/job-context.ts';
import { addMessage } from '../../src/store/add-message.ts';
import { appendEvents } from '../../src/store/append-events.ts';
import { readEvents } from '../../src/store/read-events.ts';
import { readLasting } from '../../src/store/read-lasting.ts';
import { startApi, type TestApi } from './start-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ env: { OPENAI_BASE_URL: 'http://127.0.0.1:1', MODEL: 'openai-compatible/x' } });
});
afterAll(() => api.close());

const STEPS = 60;
const BUDGET = makeBudget({ contextWindow: 12_000 }, readConfig({}));
const USAGE = { input_tokens: 0, cached_input_tokens: 0, output_tokens: 30, cost_usd: 0.01 };

/** Plays a job of many windows into the store; gives what the model was shown at each step. */
async function play(id: string): Promise<ModelMessage[][]> {
  const { job, lease } = await api.start(id);
  const transcript = new Transcript(job.request.prompt);
  const view = new View(transcript);
  let newest = 0;
  const take = (events: JobEvent[]) => {
    transcript.take(events);
    newest = events.at(-1)?.seq ?? newest;
  };
  const append = async (...events: NewEvent[]) => take(await appendEvents(api.store, lease, events));
  const ask = async (): Promise<ModelReply> => ({
    model: 'x/y',
    text: '## State\nAll is well.',
    toolCalls: [],
    finishReason: 'stop',
    usage: USAGE,
    durationMs: 1,
    provider: { role: 'assistant', content: [] },
  });
  const shown: ModelMessage[][] = [];
  for (let step = 1; step <= STEPS; step += 1) {
    if (step === 7) take([await addMessage(api.store, id, 'Use tabs.')]);
    const seen = newest;
    const work = { transcript, view, strategy: layered, outside: 500, newest: () => newest, append, ask };
    const { estimated } = await makeRoom(work, BUDGET);
    shown.push(structuredClone(view.messages(BUDGET.limits)));
    // It comes while the model speaks: it is not in what was shown.
    if (step === 20) await addMessage(api.store, id, 'Be quick.');
    const { window, input, limits } = BUDGET;
    await append({
      type: 'model.reply',
      data: {
        step,
        model: 'x/y',
        text: '',
        tool_calls: [{ id: 'a', name: 'shell', input: { command: `make ${step}` } }],
        finish_reason: 'stop',
        usage: USAGE,
        duration_ms: 1,
        seen,
        view: { window, input, estimated, ...limits },
      },
    });
    if (step === 20)
      take((await readEvents(api.store, id, { after: seen })).filter(({ type }) => type === 'message.user'));
    await append({
      type: 'tool.result',
      data: {
        step,
        call_id: 'a',
        tool: 'shell',
        content: `made ${step}\n`.repeat(step % 9 === 0 ? 900 : 120),
        is_error: false,
        exit_code: 0,
        duration_ms: 1,
        full_output: null,
      },
    });
  }
  return shown;
}

it('gives word for word what the model was shown at any step, how, and at what cost', async () => {
  const id = await api.schedule({ prompt: 'Make it all.', agent: 'llm' });
  const shown = await play(id);
  const ways = new Set<string>();
  for (const [at, messages] of shown.entries()) {
    const response = await fetch(`${api.url}/job/${id}/context?step=${at + 1}`);
    expect(response.status).toBe(200);
    const context = ContextResponse.parse(await response.json());
    expect(context.messages, `step ${at + 1}`).toEqual(messages);
    expect(context).toMatchObject({ job_id: id, step: at + 1, model: 'x/y', window: 12_000, usage: USAGE });
    for (const each of context.steps) ways.add(each.shown);
    expect(context.steps[0]?.step ?? at + 1).toBe(context.summarised_through + 1);
    expect(context.steps.at(-1)?.step ?? 0).toBe(at);
  }
  expect([...ways].sort()).toEqual(['clipped', 'stub', 'whole']);
  const newest = ContextResponse.parse(await (await fetch(`${api.url}/job/${id}/context`)).json());
  expect(newest.step).toBe(STEPS);
  expect(newest.compactions[0]).toMatchObject({ kind: 'summary', author: 'model', usage: USAGE });
  expect(newest.summary).toBe('## State\nAll is well.');

  // A job that goes on reads little of its log.
  const { events, through } = await readLasting(api.store, id);
  expect(events.map(({ type }) => type)).toEqual(['job.started', 'message.user', 'message.user']);
  expect(through).toBeGreaterThan(STEPS);
});

it('is 404 for a step that there is not', async () => {
  const id = await api.schedule();
  for (const path of ['', '?step=1']) {
    const response = await fetch(`${api.url}/job/${id}/context${path}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'STEP_NOT_FOUND' });
  }
  expect((await fetch(`${api.url}/job/${id}/context?step=0`)).status).toBe(422);
});
