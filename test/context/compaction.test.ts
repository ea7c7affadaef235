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
    const last = run.requests.at(-1)?.messages[0]?.text;
    expect(last).toContain('A «first word» of the user.');
    expect(last).toContain('## State\nReached count=');
    expect(last?.match(/## State/g)).toHaveLength(1);
  });
});
