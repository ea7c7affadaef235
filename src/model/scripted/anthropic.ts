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

const TextBlock = z.looseObject({ type: z.literal('text'), text: z.string().min(1) });
const ResultBlock = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: z
    .union([z.string(), z.array(z.union([TextBlock, z.looseObject({ type: z.literal('image') })]))])
    .optional(),
});
const UseBlock = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string().regex(/^[a-zA-Z0-9_-]+$/),
  name: z.string().min(1),
  input: z.record(z.string(), z.unknown()),
});
const Request = z.looseObject({
  model: z.string().min(1),
  max_tokens: z.int().min(1),
  stream: z.boolean().optional(),
  system: z.union([z.string(), z.array(TextBlock)]).optional(),
  messages: z.array(
    z.discriminatedUnion('role', [
      z.looseObject({
        role: z.literal('user'),
        content: z.union([
          z.string().min(1),
          z.array(z.union([TextBlock, ResultBlock, z.looseObject({ type: z.literal('image') })])).min(1),
        ]),
      }),
      z.looseObject({
        role: z.literal('assistant'),
        content: z.union([z.string().min(1), z.array(z.union([TextBlock, UseBlock])).min(1)]),
      }),
    ]),
  ),
  tools: z
    .array(z.looseObject({ name: z.string(), input_schema: z.looseObject({ type: z.literal('object') }) }))
    .optional(),
});
type UserContent = Exclude<
  Extract<z.infer<typeof Request>['messages'][number], { role: 'user' }>['content'],
  string
>;

/** Anthropic's messages. */
export const anthropic: Protocol = {
  read(body) {
    const parsed = Request.safeParse(body);
    if (!parsed.success) throw new BadRequest(z.prettifyError(parsed.error));
    const { model, stream = false, system = '', messages, tools = [] } = parsed.data;
    for (const [at, message] of messages.entries()) {
      check(
        message.role === (at % 2 === 0 ? 'user' : 'assistant'),
        `messages.${at}: roles must alternate between "user" and "assistant"`,
      );
    }
    const conversation: Conversation = {
      protocol: 'anthropic',
      model,
      stream,
      system: typeof system === 'string' ? system : system.map((block) => block.text).join('\n'),
      messages: messages.flatMap((message): Message[] => {
        if (typeof message.content === 'string') {
          return message.role === 'user'
            ? [{ role: 'user', text: message.content }]
            : [{ role: 'assistant', text: message.content, calls: [] }];
        }
        if (message.role === 'user') return readUser(message.content);
        const blocks = message.content;
        return [
          {
            role: 'assistant',
            text: blocks.map((block) => (block.type === 'text' ? block.text : '')).join(''),
            calls: blocks.flatMap((block) =>
              block.type === 'tool_use' ? [{ id: block.id, name: block.name, input: block.input }] : [],
            ),
          },
        ];
      }),
      tools: tools.map((tool) => tool.name),
      tokens: countTokens(body),
    };
    checkConversation(conversation);
    return conversation;
  },

  stream(turn, usage, conversation) {
    const event = (type: string, data: object): SseEvent => ({ event: type, data: { type, ...data } });
    const block = (index: number, start: object, deltas: object[]): SseEvent[] => [
      event('content_block_start', { index, content_block: start }),
      ...deltas.map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    ];
    const text = turn.text
      ? block(
          0,
          { type: 'text', text: '' },
          pieces(turn.text).map((piece) => ({ type: 'text_delta', text: piece })),
        )
      : [];
    const calls = (turn.calls ?? []).flatMap((call, place) =>
      block(
        place + (turn.text ? 1 : 0),
        { type: 'tool_use', id: callId(turnOf(conversation), place, call), name: call.name, input: {} },
        pieces(callArguments(call)).map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
      ),
    );
    return [
      event('message_start', {
        message: {
          ...head(conversation),
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: counts({ ...usage, output: 1 }),
        },
      }),
      event('ping', {}),
      ...text,
      ...calls,
      event('message_delta', {
        delta: { stop_reason: stopReason(turn), stop_sequence: null },
        usage: { output_tokens: usage.output },
      }),
      event('message_stop', {}),
    ];
  },

  whole(turn, usage, conversation) {
    const text = turn.text ? [{ type: 'text', text: turn.text }] : [];
    const calls = (turn.calls ?? []).map((call, place) => ({
      type: 'tool_use',
      id: callId(turnOf(conversation), place, call),
      name: call.name,
      input: call.input ?? {},
    }));
    return {
      ...head(conversation),
      content: [...text, ...calls],
      stop_reason: stopReason(turn),
      stop_sequence: null,
      usage: counts(usage),
    };
  },

  error: (status, message) => ({ type: 'error', error: { type: errorType(status), message } }),
  streamError: (message) => ({
    event: 'error',
    data: { type: 'error', error: { type: 'overloaded_error', message } },
  }),
  overflow: (tokens, window) => ({
    status: 400,
    message: `prompt is too long: ${tokens} tokens > ${window} maximum`,
  }),
};

/** Results come first in a user's message, as the provider demands, and what else it says after them. */
function readUser(blocks: UserContent): Message[] {
  const results = blocks.filter((block) => block.type === 'tool_result');
  const rest = blocks.filter((block) => block.type !== 'tool_result');
  check(
    blocks.slice(0, results.length).every((block) => block.type === 'tool_result'),
    'messages: tool_result blocks must come first in a message',
  );
  const messages: Message[] = results.map((block) => ({
    role: 'tool',
    callId: String(block.tool_use_id),
    text: plain(block.content),
  }));
  if (rest.length > 0) messages.push({ role: 'user', text: plain(rest) });
  return messages;
}

function plain(content: unknown): string {
  if (!Array.isArray(content)) return typeof content === 'string' ? content : '';
  return content.map((block: { type: string; text?: string }) => block.text ?? `[${block.type}]`).join('\n');
}

const head = (conversation: Conversation) => ({
  id: `msg_${turnOf(conversation) + 1}`,
  type: 'message',
  role: 'assistant',
  model: conversation.model,
});

function stopReason(turn: Turn): string {
  if (turn.finish === 'length') return 'max_tokens';
  if (turn.finish === 'content_filter') return 'refusal';
  return turn.calls?.length ? 'tool_use' : 'end_turn';
}

const counts = ({ input, cached, output }: Usage) => ({
  input_tokens: Math.max(0, input - cached),
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: cached,
  output_tokens: output,
});

const ERROR_TYPES: Record<number, string> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};
const errorType = (status: number): string =>
  ERROR_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
