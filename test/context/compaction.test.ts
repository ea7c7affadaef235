import { beforeEach, describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/model/scripted/conversation.ts';
import type { Turn } from '../../src/model/scripted/script.ts';
import { cleanWorkspace, type Outcome, runLlm } from '../agent/harness.ts';
import { startTestSandbox } from '../support/sandbox.ts';

const { sandbox } = await startTestSandbox({ lasts: 'file' });
beforeEach(() => cleanWorkspace(sandbox));

const WINDOW = 24_000;
const asksForSummary = ({ messages }: Conversation) =>
  messages.at(-1)?.role === 'user' && (messages.at(-1)?.text ?? '').includes('write the summary');

/** Counts up by one long output a step, by what it is shown alone, and finishes. */
function counter(steps: number, summary: (conversation: Conversation) => Turn, words = 900) {
  return (conversation: Conversation): Turn => {
    if (asksForSummary(conversation)) return summary(conversation);
    const shown = conversation.messages.map(({ text }) => text).join('\n');
    const at = Math.max(0, ...[...shown.matchAll(/count=(\d+)/g)].map(([, digits]) => Number(digits)));
    if (at >= steps) return { calls: [{ name: 'finish', input: { summary: `At ${at}.`, success: true } }] };
    return {
      calls: [
        {
          name: 'shell',
          input: { command: `echo count=${at + 1}; seq -s ' ' 1 ${words}`, timeout_s: 30 + at },
          // Ids as providers give them: unlike in the whole conversation.
          id: `call_${at + 1}`,
        },
      ],
    };
  };
}
const lastCount = ({ messages }: Conversation) =>
  [
    ...messages
      .map(({ text }) => text)
      .join('\n')
      .matchAll(/count=(\d+)/g),
  ].at(-1)?.[0] ?? 'count=0';
const goodSummary = (conversation: Conversation): Turn => ({
  text: `## State\nReached ${lastCount(conversation)}.`,
});
const kinds = (run: Outcome) => run.of('context.compacted').map(({ kind }) => kind);

describe('a job of many windows', () => {
  it('goes on to its end, and no request is larger than the window less the reply', async () => {
    const run = await runLlm(counter(160, goodSummary), {
      sandbox,
      contextWindow: WINDOW,
      prompt: 'Count to 160. Keep «this very text».',
      limits: { max_steps: 200 },
      onEvent(event, { say }) {
        if (event.type === 'tool.result' && event.data.step === 3) say('A «first word» of the user.');
      },
    });
    await expect(run.result).resolves.toEqual({ summary: 'At 160.' });
    expect(kinds(run).filter((kind) => kind === 'summary').length).toBeGreaterThan(1);
    for (const request of run.requests) {
      expect(request.tokens).toBeLessThan(WINDOW * 0.75);
      expect(request.messages[0]?.text).toContain('«this very text»');
    }
    // A request only grows at its end, but for the compactions and the requests for summaries.
    const grows = run.requests.slice(1).filter((request, at) => {
      const before = run.requests[at]?.messages.slice(0, -1) ?? [];
      return JSON.stringify(request.messages.slice(0, before.length)) === JSON.stringify(before);
    });
    expect(run.requests.length - 1 - grows.length).toBeLessThanOrEqual(kinds(run).length);
    const last = run.requests.at(-1)?.messages[0]?.text;
    expect(last).toContain('A «first word» of the user.');
    expect(last).toContain('## State\nReached count=');
    expect(last?.match(/## State/g)).toHaveLength(1);
  });
});

describe('what a provider and its summaries may do', () => {
  const TASK = { prompt: 'Count to 40.', limits: { max_steps: 60 } };
  /** Refuses what is longer than its window, which nobody knows. */
  const refusing =
    (window: number, script: (conversation: Conversation) => Turn) =>
    (conversation: Conversation): Turn => {
      const turn = script(conversation);
      return conversation.tokens > window ? { ...turn, faults: Array(9).fill({ overflow: true }) } : turn;
    };

  it.each(['openai-compatible/scripted', 'anthropic/claude-haiku-4-5'])(
    '%s: a request that is refused as too long is compacted and sent once more',
    async (model) => {
      const run = await runLlm(refusing(14_000, counter(40, goodSummary)), { sandbox, model, ...TASK });
      await expect(run.result).resolves.toEqual({ summary: 'At 40.' });
      const refused = run.requests.filter(({ tokens }) => tokens > 14_000).length;
      expect(refused).toBeGreaterThan(0);
      // What it has learnt of the window holds for the rest of the run.
      expect(refused).toBeLessThan(4);
      expect(run.of('model.reply')).toHaveLength(41);
    },
  );

  it('a provider that refuses everything ends the job, at once', async () => {
    const run = await runLlm(
      refusing(9_000, (conversation) =>
        conversation.tokens > 9_000 ? {} : counter(40, goodSummary)(conversation),
      ),
      {
        sandbox,
        ...TASK,
        prompt: `Count to 40. ${'More of the task. '.repeat(2_000)}`,
      },
    );
    await expect(run.result).rejects.toMatchObject({ code: 'CONTEXT_OVERFLOW' });
    expect(run.requests.length).toBeLessThan(4);
  });

  it.each<[string, (conversation: Conversation) => Turn, RegExp]>([
    ['is empty', () => ({ calls: [{ name: 'list_files', input: {} }] }), /no text/],
    ['is far too long', () => ({ text: 'Much ado about it. '.repeat(4_000) }), /tokens instead of/],
    ['is refused', () => ({ faults: Array(5).fill({ status: 400, message: 'not that' }) }), /MODEL_REJECTED/],
  ])('goes on when a summary %s', async (_, summary, fault) => {
    const run = await runLlm(counter(60, summary), {
      sandbox,
      contextWindow: 20_000,
      prompt: 'Count to 60.',
      limits: { max_steps: 80 },
    });
    await expect(run.result).resolves.toEqual({ summary: 'At 60.' });
    const summaries = run.of('context.compacted').filter(({ kind }) => kind === 'summary');
    expect(summaries.length).toBeGreaterThan(0);
    for (const each of summaries) {
      expect(each.fault).toMatch(fault);
      expect(each.summary?.length).toBeGreaterThan(100);
      expect(each.tokens_after).toBeLessThan(each.tokens_before);
    }
    for (const request of run.requests) expect(request.tokens).toBeLessThan(15_000);
  });

  it('goes on with a model of a smaller window, in the middle of a job', async () => {
    const script = counter(40, goodSummary);
    const first = await runLlm(script, {
      sandbox,
      contextWindow: 100_000,
      prompt: 'Count to 40.',
      limits: { max_steps: 30 },
    });
    await expect(first.result).rejects.toMatchObject({ code: 'STEP_LIMIT' });
    expect(kinds(first)).toEqual([]);
    const second = await runLlm(script, { sandbox, contextWindow: 16_000, history: first.events, ...TASK });
    await expect(second.result).resolves.toEqual({ summary: 'At 40.' });
    for (const request of second.requests) expect(request.tokens).toBeLessThan(12_000);
    expect(second.of('context.compacted').every(({ author }) => author !== 'digest')).toBe(true);
  });

  it('a message of the user that no window holds ends the job with what is wrong', async () => {
    const run = await runLlm(counter(40, goodSummary), {
      sandbox,
      contextWindow: WINDOW,
      ...TASK,
      onEvent(event, { say }) {
        if (event.type === 'tool.result' && event.data.step === 5) say('x'.repeat(190_000));
      },
    });
    await expect(run.result).rejects.toMatchObject({
      code: 'CONTEXT_OVERFLOW',
      message: expect.stringContaining("the user's messages"),
    });
    expect(run.of('model.reply')).toHaveLength(5);
  });

  it('shows one long output as its head and tail, and says where the rest is', async () => {
    const run = await runLlm(counter(1, goodSummary, 6_000), { sandbox, contextWindow: WINDOW, ...TASK });
    await expect(run.result).resolves.toEqual({ summary: expect.any(String) });
    const shown = run.requests[1]?.messages.find(({ role }) => role === 'tool')?.text ?? '';
    expect(shown.length).toBeLessThan(4_000);
    expect(shown).toMatch(
      /^count=1\n1 2 3 .*characters left out here: recall event \d+.* 6000\n\[exit code 0\]$/s,
    );
  });
});

describe('after a restart', () => {
  it('goes on from the last summary, without what it covers', async () => {
    const script = counter(120, goodSummary);
    const options = { sandbox, contextWindow: WINDOW, prompt: 'Count to 120.' };
    const first = await runLlm(script, { ...options, limits: { max_steps: 100 } });
    await expect(first.result).rejects.toMatchObject({ code: 'STEP_LIMIT' });
    const last = first.of('context.compacted').findLast(({ kind }) => kind === 'summary');
    const kept = first.events.filter(
      ({ seq, type }) => seq > (last?.through_seq ?? 0) || type === 'message.user' || type === 'job.started',
    );
    expect(kept.length).toBeLessThan(first.events.length / 2);
    const second = await runLlm(script, {
      ...options,
      history: kept,
      limits: { max_steps: 150 },
    });
    await expect(second.result).resolves.toEqual({ summary: 'At 120.' });
    expect(second.of('model.reply').at(-1)?.step).toBe(121);
  });
});
