import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INTERRUPTED } from '../../src/agent/context/render-turn.ts';
import { view as viewOf } from '../../src/agent/context/view.ts';
import type { ModelMessage } from '../../src/model/model.ts';
import type { EventData, JobEvent, NewEvent, ToolCall } from '../../src/protocol/events.ts';

const view = (task: string, events: JobEvent[]) => viewOf(task, events, { result: 1_000, step: 10_000 });
const numbered = (events: NewEvent[]): JobEvent[] =>
  events.map((event, at) => ({ ...event, seq: at + 1, time: '2026-01-01T00:00:00Z' }) as JobEvent);

const reply = (
  step: number,
  text: string,
  calls: ToolCall[],
  more: Partial<EventData<'model.reply'>> = {},
): NewEvent => ({
  type: 'model.reply',
  data: {
    step,
    model: 'x/y',
    text,
    tool_calls: calls,
    finish_reason: 'stop',
    usage: { input_tokens: 1, cached_input_tokens: 0, output_tokens: 1, cost_usd: null },
    duration_ms: 1,
    ...more,
  },
});
const call = (id: string): ToolCall => ({ id, name: 'shell', input: { command: id } });
const result = (step: number, id: string, content: string, is_error = false): NewEvent => ({
  type: 'tool.result',
  data: {
    step,
    call_id: id,
    tool: 'shell',
    content,
    is_error,
    exit_code: 0,
    duration_ms: 1,
    full_output: null,
  },
});
const said = (text: string): NewEvent => ({ type: 'message.user', data: { text } });

/** Messages as short text: what there is to compare. */
const short = (messages: ModelMessage[]): string[] =>
  messages.map((message) => {
    if (message.role === 'system') return 'system';
    const parts = message.content.map((part) => {
      if (part.type === 'text') return part.text;
      if (part.type === 'tool-call') return `call ${part.toolCallId}`;
      if (part.type !== 'tool-result') return part.type;
      const { output } = part;
      const value = output.type === 'text' || output.type === 'error-text' ? output.value : '?';
      return `${output.type === 'error-text' ? 'error' : 'result'} ${part.toolCallId}: ${value}`;
    });
    return `${message.role}: ${parts.join(' | ')}`;
  });

describe('view', () => {
  it('shows the task, replies and results', () => {
    const events = numbered([
      reply(1, 'Look.', [call('a'), call('b')]),
      result(1, 'a', 'A'),
      result(1, 'b', 'B', true),
      reply(2, 'So.', [call('a')]),
      result(2, 'a', ''),
    ]);
    expect(short(view('Do it.', events))).toEqual([
      'user: Do it.',
      'assistant: Look. | call a | call b',
      'tool: result a: A | error b: B',
      'assistant: So. | call a',
      'tool: result a: [empty]',
    ]);
  });

  it('puts results into the order of the calls, and says which calls were interrupted', () => {
    const events = numbered([
      reply(1, '', [call('a'), call('b'), call('c')]),
      result(1, 'c', 'C'),
      result(1, 'b', 'B'),
    ]);
    expect(short(view('t', events)).at(-1)).toBe(`tool: error a: ${INTERRUPTED} | result b: B | result c: C`);
  });

  it('shows a message after the step that had not seen it', () => {
    const events = numbered([
      said('first'),
      said('while it spoke'),
      reply(1, '', [call('a')], { seen: 1 }),
      said('while it ran'),
      result(1, 'a', 'A'),
    ]);
    expect(short(view('t', events))).toEqual([
      'user: t\n\nfirst',
      'assistant: call a',
      'tool: result a: A',
      'user: while it spoke\n\nwhile it ran',
    ]);
  });

  it('shows an answer as the result of its question, and nowhere else', () => {
    const events = numbered([
      reply(1, '', [{ id: 'q', name: 'ask_user', input: { question: 'Which?' } }]),
      { type: 'question.asked', data: { step: 1, call_id: 'q', question: 'Which?' } },
      said('Blue.'),
      { type: 'question.answered', data: { step: 1, call_id: 'q', message_seq: 3 } },
      result(1, 'q', 'Blue.'),
      said('And quick.'),
    ]);
    expect(short(view('t', events)).slice(2)).toEqual(['tool: result q: Blue.', 'user: And quick.']);
  });

  it('reminds after a reply without a call, and leaves an empty reply out', () => {
    const messages = short(
      view('t', numbered([reply(1, 'I think.', []), reply(2, ' ', []), said('Hello?')])),
    );
    expect(messages).toEqual([
      'user: t',
      'assistant: I think.',
      expect.stringMatching(/^user: \[Your reply called no tool.*\n\n\[Your reply was empty.*\n\nHello\?$/s),
    ]);
  });

  it('gives the provider its own message back when it makes the same calls', () => {
    const provider: ModelMessage = {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'hm', providerOptions: { anthropic: { signature: 's' } } },
        { type: 'tool-call', toolCallId: 'a', toolName: 'shell', input: {} },
      ],
    };
    expect(view('t', numbered([reply(1, '', [call('a')], { provider })]))[1]).toEqual(provider);
    expect(view('t', numbered([reply(1, 'x', [call('b')], { provider })]))[1]).not.toEqual(provider);
  });
});

describe('over any log', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd');
  const text = fc.constantFrom('', ' ', 'word', 'two words');
  const anyReply = fc.record({ text, ids: fc.uniqueArray(id), back: fc.nat(5) });
  const piece = fc.oneof(
    anyReply.map(({ text, ids, back }) => ({ kind: 'reply' as const, text, ids, back })),
    fc.record({ kind: fc.constant('result' as const), id, text, error: fc.boolean(), old: fc.boolean() }),
    fc.record({ kind: fc.constant('said' as const), text: fc.string({ minLength: 1 }) }),
    fc.constant({ kind: 'lost' as const }),
    fc.constant({ kind: 'other' as const }),
  );
  const anyLog = fc.array(piece, { maxLength: 40 }).map((pieces) => {
    let step = 0;
    const events: NewEvent[] = [];
    for (const part of pieces) {
      if (part.kind === 'reply') {
        step += 1;
        events.push(
          reply(step, part.text, part.ids.map(call), { seen: Math.max(0, events.length - part.back) }),
        );
      } else if (part.kind === 'result') {
        events.push(result(part.old ? step - 1 : step, part.id, part.text, part.error));
      } else if (part.kind === 'said') events.push(said(`«${part.text}» ${events.length}`));
      else if (part.kind === 'lost')
        events.push({ type: 'sandbox.lost', data: { sandbox: 's', reason: 'r' } });
      else events.push({ type: 'notice', data: { text: 'n' } });
    }
    return numbered(events);
  });
  const runs = { numRuns: 2_000 };

  it('every call has exactly one result, in order, right after its reply, and results answer nothing else', () => {
    fc.assert(
      fc.property(anyLog, (events) => {
        const messages = view('The task.', events);
        for (const [at, message] of messages.entries()) {
          const calls =
            message.role === 'assistant' ? message.content.filter((part) => part.type === 'tool-call') : [];
          const next = messages[at + 1];
          const results =
            next?.role === 'tool' ? next.content.filter((part) => part.type === 'tool-result') : [];
          if (message.role === 'assistant')
            expect(results.map((part) => part.toolCallId)).toEqual(calls.map((part) => part.toolCallId));
          if (message.role === 'tool') expect(messages[at - 1]?.role).toBe('assistant');
        }
      }),
      runs,
    );
  });

  it('user and assistant alternate, nothing is empty, and the model is never left the last word', () => {
    fc.assert(
      fc.property(anyLog, (events) => {
        const messages = view('The task.', events);
        const roles = messages.map((message) => (message.role === 'tool' ? 'user' : message.role));
        expect(roles[0]).toBe('user');
        expect(roles.at(-1)).toBe('user');
        for (const [at, message] of messages.entries()) {
          if (at > 0 && message.role !== 'user') expect(message.role).not.toBe(messages[at - 1]?.role);
          if (at > 0 && message.role === 'user') expect(messages[at - 1]?.role).not.toBe('user');
          expect(message.content.length).toBeGreaterThan(0);
        }
      }),
      runs,
    );
  });

  it('the task and every message of the user are there once, verbatim and in order', () => {
    fc.assert(
      fc.property(anyLog, (events) => {
        const shown = short(view('The task.', events)).join('\n');
        expect(shown.startsWith('user: The task.')).toBe(true);
        let from = 0;
        for (const event of events) {
          if (event.type !== 'message.user') continue;
          const at = shown.indexOf(event.data.text, from);
          expect(at).toBeGreaterThan(-1);
          from = at + event.data.text.length;
          expect(shown.indexOf(event.data.text, from)).toBe(-1);
        }
      }),
      runs,
    );
  });

  it('the same log gives the same view, and what is appended changes nothing before the last step', () => {
    fc.assert(
      fc.property(anyLog, fc.nat(40), (events, cut) => {
        const whole = view('t', events);
        expect(view('t', structuredClone(events))).toEqual(whole);
        const replies = events.slice(0, cut).filter((event) => event.type === 'model.reply');
        const last = replies.at(-1);
        if (!last) return;
        const before = view('t', events.slice(0, events.indexOf(last)));
        const later = view('t', events);
        const stable = Math.max(0, before.length - 2);
        expect(later.slice(0, stable)).toEqual(before.slice(0, stable));
      }),
      runs,
    );
  });
});
