import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Transcript } from '../../src/agent/context/transcript.ts';
import { View, view } from '../../src/agent/context/view.ts';
import type { ModelMessage } from '../../src/model/model.ts';
import type { JobEvent } from '../../src/protocol/events.ts';
import { anyJob, OUTSIDE, type Request, simulate } from './simulate.ts';

const RUNS = 10_000;
/** They take 10 s on a quiet core. */
const TIMEOUT_MS = 180_000;

describe('over any job', () => {
  it(
    'budget, batches, words of the user, notes, prefix, and the same view from the log and from what is kept of it',
    async () => {
      let compactions = 0;
      let ends = 0;
      await fc.assert(
        fc.asyncProperty(anyJob, async (job) => {
          let last: ModelMessage[] | null = null;
          const end = await simulate(job, (request) => {
            checkBudget(request);
            checkBatches(request.messages);
            checkWords(request);
            if (last && request.compacted === 0 && !job.laterWindow) checkPrefix(last, request.messages);
            if (request.compacted > 0 || request.transcript.lastStep === 5) checkSame(request);
            last = request.messages;
            compactions += request.compacted;
          });
          if (!end) return;
          ends += 1;
          expect(end.code).toBe('CONTEXT_OVERFLOW');
        }),
        { numRuns: RUNS },
      );
      // The generator must reach what is to be tested.
      expect(compactions).toBeGreaterThan(RUNS);
      expect(ends).toBeLessThan(RUNS / 3);
    },
    TIMEOUT_MS,
  );
});

function checkBudget({ counted, state, budget }: Request): void {
  if (counted > budget.input || state.tokens > budget.input)
    throw new Error(`${counted} counted, ${state.tokens} by our count, of ${budget.input}`);
}

/** Every call has exactly one result, in order, right after its reply; user and assistant alternate. */
function checkBatches(messages: readonly ModelMessage[]): void {
  let open: string[] = [];
  let before = 'assistant';
  for (const message of messages) {
    const role = message.role === 'tool' ? 'user' : message.role;
    if (message.role === 'tool') {
      const results = message.content.flatMap((part) =>
        part.type === 'tool-result' ? [part.toolCallId] : [],
      );
      if (before !== 'assistant' || results.join() !== open.join()) throw new Error(`${results} for ${open}`);
      open = [];
    } else {
      if (open.length > 0) throw new Error(`no results for ${open}`);
      if (role === before) throw new Error(`two messages of ${role}`);
      if (message.role === 'assistant')
        open = message.content.flatMap((part) => (part.type === 'tool-call' ? [part.toolCallId] : []));
      if (message.content.length === 0) throw new Error('an empty message');
    }
    before = message.role === 'tool' ? 'tool' : role;
  }
  if (before === 'assistant') throw new Error('the model has the last word');
}

/** The task comes first; each message of the user and each note is there word for word, a message once. */
function checkWords({ task, log, messages, transcript }: Request): void {
  const texts = messages.flatMap(textsOf);
  if (!texts[0]?.startsWith(task)) throw new Error('the task is not first');
  const whole = texts.join('\n');
  for (const event of log) {
    if (event.type === 'message.user') {
      const at = whole.indexOf(event.data.text);
      if (at < 0 || whole.includes(event.data.text, at + 1)) throw new Error(`once: ${event.data.text}`);
    }
  }
  for (const { text } of transcript.memory?.notebook.notes ?? [])
    if (!whole.includes(text)) throw new Error(`note: ${text}`);
}

function textsOf(message: ModelMessage): string[] {
  if (message.role === 'system') return [];
  return message.content.flatMap((part) => {
    if (part.type === 'text') return [part.text];
    if (part.type !== 'tool-result') return [];
    const { output } = part;
    return output.type === 'text' || output.type === 'error-text' ? [output.value] : [];
  });
}

/** Between compactions a request only grows at its end. */
function checkPrefix(before: readonly ModelMessage[], after: readonly ModelMessage[]): void {
  const same = before.length - 1;
  if (JSON.stringify(before.slice(0, same)) !== JSON.stringify(after.slice(0, same)))
    throw new Error('prefix');
  const [ends, goesOn] = [before.at(-1), after[same]].map((message) =>
    message ? textsOf(message).join('\n') : '',
  );
  if (!goesOn?.startsWith(ends ?? '')) throw new Error(`the last message changed: ${ends} to ${goesOn}`);
}

/** What has grown event by event is what the whole log gives, again and again, and what is kept of it after a restart. */
function checkSame({ task, log, json, budget, state }: Request): void {
  if (JSON.stringify(view(task, log, budget.limits)) !== json) throw new Error('whole');
  const resumed = new View(new Transcript(task).take(kept(log)));
  if (JSON.stringify(resumed.messages(budget.limits)) !== json) throw new Error('resumed');
  expect(resumed.state(budget, OUTSIDE).steps).toEqual(state.steps);
}

/** As `store/read-lasting.ts` leaves a log. */
function kept(log: readonly JobEvent[]): JobEvent[] {
  const last = log.findLast((event) => event.type === 'context.compacted' && event.data.kind !== 'stubs');
  const through = last?.type === 'context.compacted' ? last.data.through_seq : 0;
  const gone = new Set(['model.reply', 'tool.result', 'context.compacted']);
  return log.filter(({ seq, type }) => seq > through || !gone.has(type));
}
