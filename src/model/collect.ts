import type {
  JSONObject,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from '@ai-sdk/provider';
import type { ToolCall } from '../protocol/events.ts';
import type { ModelMessage } from './model.ts';

type AssistantPart = Extract<ModelMessage, { role: 'assistant' }>['content'][number];
type SpokenPart = Extract<AssistantPart, { type: 'text' | 'reasoning' }>;

export interface Collected {
  text: string;
  toolCalls: ToolCall[];
  /** Null until the stream has said how it ended. */
  finish: { reason: string; usage: LanguageModelV4Usage } | null;
  message: ModelMessage;
}

/** Puts the parts of a provider's stream together: the reply for us, and the message that the provider wants back. */
export class Collector {
  readonly #content: AssistantPart[] = [];
  readonly #open = new Map<string, SpokenPart>();
  readonly #toolCalls: ToolCall[] = [];
  #finish: Collected['finish'] = null;

  add(part: LanguageModelV4StreamPart): void {
    switch (part.type) {
      case 'text-start':
      case 'reasoning-start':
        this.#start(part.type === 'text-start' ? 'text' : 'reasoning', part.id, part.providerMetadata);
        break;
      case 'text-delta':
      case 'reasoning-delta': {
        const open = this.#open.get(part.id);
        if (open) open.text += part.delta;
        this.#amend(part.id, part.providerMetadata);
        break;
      }
      case 'text-end':
      case 'reasoning-end':
        this.#amend(part.id, part.providerMetadata);
        this.#open.delete(part.id);
        break;
      case 'tool-call':
        this.#call(part.toolCallId, part.toolName, part.input, part.providerMetadata);
        break;
      case 'finish':
        this.#finish = { reason: part.finishReason.unified, usage: part.usage };
        break;
      default:
    }
  }

  result(): Collected {
    const content = this.#content.filter((part) => !isBlank(part));
    return {
      text: content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
      toolCalls: this.#toolCalls,
      finish: this.#finish,
      message: { role: 'assistant', content },
    };
  }

  #start(type: 'text' | 'reasoning', id: string, metadata: SharedV4ProviderMetadata | undefined): void {
    const part: SpokenPart = { type, text: '' };
    this.#content.push(part);
    this.#open.set(id, part);
    this.#amend(id, metadata);
  }

  /** Signatures come with any piece of a part, the last one as a rule. */
  #amend(id: string, metadata: SharedV4ProviderMetadata | undefined): void {
    const part = this.#open.get(id);
    if (!part || !metadata) return;
    const options = { ...part.providerOptions };
    for (const [name, values] of Object.entries(metadata)) options[name] = { ...options[name], ...values };
    part.providerOptions = options;
  }

  #call(givenId: string, name: string, text: string, metadata: SharedV4ProviderMetadata | undefined): void {
    let id = givenId;
    // Some servers number the calls of a reply all alike; a result must tell which call it answers.
    for (let n = 2; this.#toolCalls.some((call) => call.id === id); n += 1) id = `${givenId}_${n}`;
    const input = parseInput(text);
    this.#toolCalls.push({ id, name, input });
    this.#content.push({
      type: 'tool-call',
      toolCallId: id,
      toolName: name,
      input: isObject(input) ? input : { invalid_input: text },
      ...(metadata && { providerOptions: metadata }),
    });
  }
}

/** A call without arguments is sent as an empty text by some. */
function parseInput(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Providers take nothing but an object back as a call's input. */
const isObject = (value: unknown): value is JSONObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Providers refuse a blank text part; an empty reasoning part may carry a signature. */
const isBlank = (part: AssistantPart): boolean =>
  (part.type === 'text' && part.text.trim() === '') ||
  (part.type === 'reasoning' && part.text === '' && !part.providerOptions);
