import type { ModelMessage } from '../model/model.ts';
import type { EventData, JobEvent } from '../protocol/events.ts';
import { imagePart } from './show-images.ts';

type Reply = EventData<'model.reply'>;
type Result = EventData<'tool.result'>;
type ToolPart = Extract<ModelMessage, { role: 'tool' }>['content'][number];
type Output = Extract<ToolPart, { type: 'tool-result' }>['output'];
type Part = Extract<ModelMessage, { role: 'assistant' }>['content'][number];

export const INTERRUPTED =
  'Interrupted: the server stopped while this call ran. Whether it took effect is not known; look before you repeat it.';

/**
 * The messages that the model is shown: a pure function of the task and the job's events, in the order of their numbers.
 * Every call has exactly one result, in order and right after its reply; every message of the user is there verbatim,
 * after the step that had not seen it; the task comes first; user and assistant alternate.
 */
export function view(task: string, events: readonly JobEvent[]): ModelMessage[] {
  const transcript = new Transcript();
  transcript.say(0, task);
  const answers = answersToQuestions(events);
  for (const event of events) {
    switch (event.type) {
      case 'message.user':
        if (!answers.has(event.seq)) transcript.say(event.seq, event.data.text);
        break;
      case 'sandbox.lost':
        transcript.say(event.seq, SANDBOX_LOST);
        break;
      case 'model.reply':
        transcript.reply(event.seq, event.data);
        break;
      case 'tool.result':
        transcript.result(event.data);
        break;
      default:
    }
  }
  return transcript.end();
}

const SANDBOX_LOST =
  '[The sandbox was lost and a new one took its place. The workspace holds only the input files again; running processes and everything you made or installed are gone.]';

/** Numbers of the messages that are shown as the result of the question that they answer. */
function answersToQuestions(events: readonly JobEvent[]): Set<number> {
  const answers = new Set<number>();
  let answer: { callId: string; seq: number } | null = null;
  for (const event of events) {
    if (event.type === 'question.answered')
      answer = { callId: event.data.call_id, seq: event.data.message_seq };
    if (event.type === 'tool.result' && answer && event.data.call_id === answer.callId) {
      if (!event.data.is_error) answers.add(answer.seq);
      answer = null;
    }
  }
  return answers;
}

class Transcript {
  readonly #messages: ModelMessage[] = [];
  /** What the user (or we) said and no reply has seen yet. */
  #said: { seq: number; text: string }[] = [];
  #step: { reply: Reply; results: Map<string, Result> } | null = null;

  say(seq: number, text: string): void {
    this.#said.push({ seq, text });
  }

  reply(seq: number, reply: Reply): void {
    this.#closeStep();
    this.#flush(reply.seen ?? seq);
    const message = assistantMessage(reply);
    if (message) this.#messages.push(message);
    this.#step = { reply, results: new Map() };
    if (reply.tool_calls.length === 0) this.#said.unshift({ seq: 0, text: nudge(reply) });
  }

  result(result: Result): void {
    const calls = this.#step?.reply.tool_calls ?? [];
    if (!calls.some((call) => call.id === result.call_id)) return;
    if (!this.#step?.results.has(result.call_id)) this.#step?.results.set(result.call_id, result);
  }

  end(): ModelMessage[] {
    this.#closeStep();
    this.#flush(Number.POSITIVE_INFINITY);
    return this.#messages;
  }

  #closeStep(): void {
    const step = this.#step;
    this.#step = null;
    if (!step || step.reply.tool_calls.length === 0) return;
    this.#messages.push({
      role: 'tool',
      content: step.reply.tool_calls.map(({ id, name }) => {
        return {
          type: 'tool-result',
          toolCallId: id,
          toolName: name,
          output: outputOf(step.results.get(id)),
        };
      }),
    });
  }

  #flush(seen: number): void {
    const texts = this.#said.filter(({ seq }) => seq <= seen).map(({ text }) => text);
    this.#said = this.#said.filter(({ seq }) => seq > seen);
    if (texts.length === 0) return;
    // After an empty reply, which is not shown, the last message is the user's still.
    const last = this.#messages.at(-1);
    const before = last?.role === 'user' ? last.content[0] : undefined;
    if (before?.type === 'text') before.text = [before.text, ...texts].join('\n\n');
    else this.#messages.push({ role: 'user', content: [{ type: 'text', text: texts.join('\n\n') }] });
  }
}

function outputOf(result: Result | undefined): Output {
  const text = result?.content || (result ? '[empty]' : INTERRUPTED);
  const images = result?.images ?? [];
  if (images.length > 0)
    return { type: 'content', value: [{ type: 'text', text }, ...images.map(imagePart)] };
  return { type: result && !result.is_error ? 'text' : 'error-text', value: text };
}

/** Null for a reply that says nothing: providers refuse empty messages. */
function assistantMessage(reply: Reply): ModelMessage | null {
  if (isOwnMessage(reply)) return reply.provider;
  const calls: Part[] = reply.tool_calls.map(({ id, name, input }) => ({
    type: 'tool-call',
    toolCallId: id,
    toolName: name,
    input,
  }));
  const text: Part[] = reply.text.trim() === '' ? [] : [{ type: 'text', text: reply.text }];
  return text.length + calls.length > 0 ? { role: 'assistant', content: [...text, ...calls] } : null;
}

/** Whether what was kept for the provider is a message that says something and makes the very calls of the event. */
function isOwnMessage(reply: Reply): reply is Reply & { provider: ModelMessage } {
  const message = reply.provider as ModelMessage | null | undefined;
  if (message?.role !== 'assistant' || !Array.isArray(message.content)) return false;
  const calls = message.content.flatMap((part) => (part.type === 'tool-call' ? [part.toolCallId] : []));
  const says =
    calls.length > 0 || message.content.some((part) => part.type === 'text' && part.text.trim() !== '');
  return says && calls.join('\n') === reply.tool_calls.map((call) => call.id).join('\n');
}

function nudge(reply: Reply): string {
  if (reply.finish_reason === 'length')
    return '[Your reply was cut off at the output limit. Go on in smaller pieces: call a tool now.]';
  const said = reply.text.trim() === '' ? 'Your reply was empty' : 'Your reply called no tool';
  return `[${said}. If there is more to do, go on with a tool call. If the task is done, or cannot be done, call finish. To ask the user something, call ask_user.]`;
}
