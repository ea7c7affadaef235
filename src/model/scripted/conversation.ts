/** A request to the scripted server, whichever protocol it came in. */
export interface Conversation {
  protocol: 'openai' | 'anthropic';
  model: string;
  stream: boolean;
  system: string;
  messages: Message[];
  /** Names of the tools on offer. */
  tools: string[];
  /** See {@link countTokens}. */
  tokens: number;
}

export type Message =
  | { role: 'user'; text: string }
  | { role: 'assistant'; text: string; calls: { id: string; name: string; input: unknown }[] }
  | { role: 'tool'; callId: string; text: string };

/** The request breaks a rule that the real provider enforces: answered with 400. */
export class BadRequest extends Error {}

export function check(holds: boolean, message: string): asserts holds {
  if (!holds) throw new BadRequest(message);
}

const BASE64_CHARACTERS = 2_000;
const IMAGE_TOKENS = 1_600;

/** Characters of the whole request over four; an image counts the same whatever its bytes. */
export function countTokens(body: unknown): number {
  let images = 0;
  const text = JSON.stringify(body, (_name, value: unknown) => {
    if (typeof value !== 'string' || value.length < BASE64_CHARACTERS || !BASE64.test(value)) return value;
    images += 1;
    return '';
  });
  return Math.ceil(text.length / 4) + images * IMAGE_TOKENS;
}

const BASE64 = /^(data:image\/\w+;base64,)?[A-Za-z0-9+/]+={0,2}$/;

/** How many replies the conversation has already: the next one is this turn, counted from 0. */
export const turnOf = (conversation: Conversation): number =>
  conversation.messages.filter((message) => message.role === 'assistant').length;

export const firstUserText = (conversation: Conversation): string =>
  conversation.messages.find((message) => message.role === 'user')?.text ?? '';

export const toolResults = (conversation: Conversation): string[] =>
  conversation.messages.flatMap((message) => (message.role === 'tool' ? [message.text] : []));

/** The rules that both protocols share once a request is in the common form. */
export function checkConversation({ messages, system }: Conversation): void {
  check(messages.length > 0, 'messages: at least one message is required');
  check(messages[0]?.role === 'user', `messages.0: the first message must be the user's`);
  check(system.trim() !== '', 'system: text content must be non-empty');
  let open: string[] = [];
  for (const [at, message] of messages.entries()) {
    if (message.role === 'tool') {
      check(
        message.callId === open[0],
        `messages.${at}: the tool result must answer call "${open[0] ?? 'none'}", but it answers "${message.callId}"`,
      );
      open = open.slice(1);
      continue;
    }
    check(open.length === 0, `messages.${at}: calls without a result before it: ${open.join(', ')}`);
    if (message.role === 'assistant') {
      check(message.text.trim() !== '' || message.calls.length > 0, `messages.${at}: must not be empty`);
      open = message.calls.map((call) => call.id);
      check(new Set(open).size === open.length, `messages.${at}: tool call ids must be unique`);
    } else {
      check(message.text.trim() !== '', `messages.${at}: text content must be non-empty`);
    }
  }
  check(open.length === 0, `messages: calls without a result at the end: ${open.join(', ')}`);
  check(messages.at(-1)?.role !== 'assistant', 'messages: the last message must not be the assistant’s');
}
