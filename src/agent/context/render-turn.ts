import type { ModelMessage } from '../../model/model.ts';
import type { ToolCall } from '../../protocol/events.ts';
import { imagePart } from '../show-images.ts';
import type { ResultLimits } from './budget.ts';
import { clip } from './clip.ts';
import { stubInput, stubResult } from './stub.ts';
import type { Reply, Result, Turn } from './turn.ts';

type AssistantPart = Extract<ModelMessage, { role: 'assistant' }>['content'][number];
type ResultPart = Extract<
  Extract<ModelMessage, { role: 'tool' }>['content'][number],
  { type: 'tool-result' }
>;

export const INTERRUPTED =
  'Interrupted: the server stopped while this call ran. Whether it took effect is not known; look before you repeat it.';

/** A reply and its results as messages: none for an empty reply, one without calls, else two. */
export function renderTurn(turn: Turn, as: ResultLimits | 'stub'): ModelMessage[] {
  const { reply } = turn;
  const assistant = assistantMessage(turn, as);
  if (!assistant) return [];
  if (reply.tool_calls.length === 0) return [assistant];
  const allowed = as === 'stub' ? 'stub' : Math.min(as.result, Math.floor(as.step / reply.tool_calls.length));
  const content = reply.tool_calls.map((call) => resultPart(turn, call, allowed));
  return [assistant, { role: 'tool', content }];
}

/** Null for a reply that says nothing: providers refuse empty messages. */
function assistantMessage({ reply, seq }: Turn, as: ResultLimits | 'stub'): ModelMessage | null {
  const message = isOwnMessage(reply) ? reply.provider : plainMessage(reply);
  if (as !== 'stub' || message?.role !== 'assistant') return message;
  // Reasoning stays: providers check it against their signatures.
  const content = message.content.map((part) =>
    part.type === 'tool-call' ? { ...part, input: stubInput(part.toolName, part.input, seq) } : part,
  );
  return { ...message, content };
}

function plainMessage(reply: Reply): ModelMessage | null {
  const calls: AssistantPart[] = reply.tool_calls.map(({ id, name, input }) => ({
    type: 'tool-call',
    toolCallId: id,
    toolName: name,
    input,
  }));
  const text: AssistantPart[] = reply.text.trim() === '' ? [] : [{ type: 'text', text: reply.text }];
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

function resultPart(turn: Turn, { id, name }: ToolCall, allowed: number | 'stub'): ResultPart {
  return {
    type: 'tool-result',
    toolCallId: id,
    toolName: name,
    output: output(turn.results.get(id), allowed),
  };
}

function output(result: Result | undefined, allowed: number | 'stub'): ResultPart['output'] {
  if (!result) return { type: 'error-text', value: INTERRUPTED };
  const text = shown(result, allowed) || '[empty]';
  const images = allowed === 'stub' ? [] : (result.data.images ?? []);
  if (images.length > 0)
    return { type: 'content', value: [{ type: 'text', text }, ...images.map(imagePart)] };
  return { type: result.data.is_error ? 'error-text' : 'text', value: text };
}

function shown(result: Result, allowed: number | 'stub'): string {
  // It is the user's words.
  if (result.data.tool === 'ask_user') return result.data.content;
  if (allowed === 'stub') return stubResult(result);
  const { seq, data } = result;
  const file = data.full_output ? `, or read ${data.full_output}` : '';
  return clip(
    data.content,
    allowed,
    (missing) => `[... ${missing} characters left out here: recall event ${seq}${file} ...]`,
  );
}
