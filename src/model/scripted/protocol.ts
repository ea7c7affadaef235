import type { Conversation } from './conversation.ts';
import type { ScriptedCall, Turn } from './script.ts';

/** One piece of an answer's stream, and what ends it. */
export interface SseEvent {
  event?: string;
  data: unknown;
}

export interface Usage {
  input: number;
  cached: number;
  output: number;
}

/** A provider's wire protocol: how requests are read and checked, and how answers and errors are written. */
export interface Protocol {
  read(body: unknown): Conversation;
  /** The pieces of a streamed answer in order; the last ones say how it ended. */
  stream(turn: Turn, usage: Usage, conversation: Conversation): SseEvent[];
  whole(turn: Turn, usage: Usage, conversation: Conversation): unknown;
  error(status: number, message: string): unknown;
  streamError(message: string): SseEvent;
  overflow(tokens: number, window: number): { status: number; message: string };
}

export const callId = (turn: number, place: number, call: ScriptedCall): string =>
  call.id ?? `call_${turn + 1}_${place + 1}`;

export const callArguments = (call: ScriptedCall): string =>
  call.arguments ?? JSON.stringify(call.input ?? {});

/** Text as a model would send it, a few characters at a time; never more than about fifty pieces. */
export function pieces(text: string): string[] {
  const size = Math.max(12, Math.ceil(text.length / 50));
  return text.match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? [];
}
