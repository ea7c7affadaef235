import { z } from 'zod';
import {
  BadRequest,
  type Conversation,
  check,
  checkConversation,
  countTokens,
  type Message,
  turnOf,
} from './conversation.ts';
import { callArguments, callId, type Protocol, pieces, type SseEvent, type Usage } from './protocol.ts';
import type { Turn } from './script.ts';

const Text = z.union([
  z.string(),
  z.array(z.looseObject({ type: z.string(), text: z.string().optional() })).min(1),
]);
const Call = z.looseObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string() }),
});
const Request = z.looseObject({
  model: z.string().min(1),
  stream: z.boolean().optional(),
  messages: z.array(
    z.discriminatedUnion('role', [
      z.looseObject({ role: z.literal('system'), content: Text }),
      z.looseObject({ role: z.literal('user'), content: Text }),
      z.looseObject({
        role: z.literal('assistant'),
        content: Text.nullish(),
        tool_calls: z.array(Call).min(1).optional(),
      }),
      z.looseObject({ role: z.literal('tool'), content: Text, tool_call_id: z.string() }),
    ]),
  ),
  tools: z
    .array(
      z.looseObject({
        type: z.literal('function'),
        function: z.looseObject({
          name: z.string(),
          parameters: z.looseObject({ type: z.literal('object') }),
        }),
      }),
    )
    .optional(),
});

/** OpenAI's chat completions, as OpenAI and the servers that follow it speak them. */
export const openai: Protocol = {
  read(body) {
    const parsed = Request.safeParse(body);
    if (!parsed.success) throw new BadRequest(z.prettifyError(parsed.error));
    const { model, stream = false, messages, tools = [] } = parsed.data;
    const conversation: Conversation = {
      protocol: 'openai',
      model,
      stream,
      system: messages
        .flatMap((message) => (message.role === 'system' ? [plain(message.content)] : []))
        .join('\n'),
      messages: messages.flatMap((message): Message[] => {
        if (message.role === 'system') return [];
        const text = plain(message.content ?? '');
        if (message.role === 'tool') return [{ role: 'tool', callId: message.tool_call_id, text }];
        if (message.role === 'user') return [{ role: 'user', text }];
        return [{ role: 'assistant', text, calls: (message.tool_calls ?? []).map(readCall) }];
      }),
      tools: tools.map((tool) => tool.function.name),
      tokens: countTokens(body),
    };
    checkConversation(conversation);
    return conversation;
  },

  stream(turn, usage, conversation) {
    const chunk = (delta: object, finish: string | null = null): SseEvent => ({
      data: {
        ...head(conversation, 'chat.completion.chunk'),
        choices: [{ index: 0, delta, finish_reason: finish }],
      },
    });
    const calls = (turn.calls ?? []).flatMap((call, index) => [
      chunk({
        tool_calls: [
          {
            index,
            id: callId(turnOf(conversation), index, call),
            type: 'function',
            function: { name: call.name, arguments: '' },
          },
        ],
      }),
      ...pieces(callArguments(call)).map((piece) =>
        chunk({ tool_calls: [{ index, function: { arguments: piece } }] }),
      ),
    ]);
    return [
      chunk({ role: 'assistant', content: '' }),
      ...pieces(turn.text ?? '').map((piece) => chunk({ content: piece })),
      ...calls,
      chunk({}, finishReason(turn)),
      { data: { ...head(conversation, 'chat.completion.chunk'), choices: [], usage: counts(usage) } },
      { data: '[DONE]' },
    ];
  },

  whole(turn, usage, conversation) {
    const calls = (turn.calls ?? []).map((call, place) => ({
      id: callId(turnOf(conversation), place, call),
      type: 'function',
      function: { name: call.name, arguments: callArguments(call) },
    }));
    const message = {
      role: 'assistant',
      content: turn.text ?? null,
      ...(calls.length > 0 && { tool_calls: calls }),
    };
    return {
      ...head(conversation, 'chat.completion'),
      choices: [{ index: 0, message, finish_reason: finishReason(turn) }],
      usage: counts(usage),
    };
  },

  error: (status, message) => ({
    error: {
      message,
      type: status < 500 ? 'invalid_request_error' : 'server_error',
      param: null,
      code: code(message),
    },
  }),
  streamError: (message) => ({ data: { error: { message, type: 'server_error', code: null } } }),
  overflow: (tokens, window) => ({
    status: 400,
    message: `This model's maximum context length is ${window} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`,
  }),
};

function readCall(call: z.infer<typeof Call>) {
  const { name, arguments: text } = call.function;
  try {
    return { id: call.id, name, input: JSON.parse(text) as unknown };
  } catch {
    throw new BadRequest(`tool_calls: the arguments of "${call.id}" are not valid JSON`);
  }
}

function plain(content: z.infer<typeof Text>): string {
  if (typeof content === 'string') return content;
  check(
    content.every((part) => part.type !== 'text' || (part.text ?? '') !== ''),
    'messages: text parts must be non-empty',
  );
  return content.map((part) => part.text ?? `[${part.type}]`).join('\n');
}

const head = (conversation: Conversation, object: string) => ({
  id: `chatcmpl-${turnOf(conversation) + 1}`,
  object,
  created: 0,
  model: conversation.model,
});

function finishReason(turn: Turn): string {
  if (turn.finish && turn.finish !== 'stop') return turn.finish;
  return turn.calls?.length ? 'tool_calls' : 'stop';
}

const counts = ({ input, cached, output }: Usage) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  prompt_tokens_details: { cached_tokens: cached },
});

const code = (message: string) => (message.includes('context length') ? 'context_length_exceeded' : null);
