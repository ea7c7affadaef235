import type { LanguageModelV4Message } from '@ai-sdk/provider';
import type { z } from 'zod';
import type { StepUsage, ToolCall } from '../protocol/events.ts';
import type { TokenWeights } from './weights.ts';

/** A message in the form that every provider of the AI SDK takes. Plain JSON. */
export type ModelMessage = LanguageModelV4Message;

/** A tool as a model is told of it. */
export interface ToolSpec {
  name: string;
  description: string;
  input: z.ZodType;
}

export interface ModelRequest {
  system: string;
  messages: ModelMessage[];
  tools: ToolSpec[];
  signal: AbortSignal;
  /** The same for all requests that begin alike, for providers that keep such requests together. */
  cacheKey?: string;
  /** Tokens kept free for the reply, for providers that must be told. */
  replyTokens?: number;
  /** Told before each wait, so that a person can see why nothing happens. */
  onRetry?: (retry: { attempt: number; delayMs: number; reason: string }) => void | Promise<void>;
  /** Each piece of text as it comes; after a retry the text starts anew. A promise holds the stream back. */
  onText?: (text: string) => void | Promise<void>;
}

export interface ModelReply {
  /** `provider/name`. */
  model: string;
  text: string;
  /** Inputs are parsed JSON, not yet checked against the tool's schema; text that is no JSON stays a string. Ids are unique in the reply. */
  toolCalls: ToolCall[];
  finishReason: string;
  usage: StepUsage;
  durationMs: number;
  /** The reply as the provider wants it back (an assistant message with signatures and reasoning): plain JSON. */
  provider: ModelMessage;
}

/**
 * One language model. `reply` retries what may pass (rate limits, overload, broken streams) with backoff and
 * fails with a CodedError: MODEL_AUTH_FAILED, MODEL_REJECTED, MODEL_UNAVAILABLE, CONTEXT_OVERFLOW.
 * When the request's signal aborts it rejects with the signal's reason.
 */
export interface Model {
  /** `provider/name`. */
  readonly id: string;
  /** Tokens; null where nobody knows. */
  readonly contextWindow: number | null;
  /** Whether its price is known, so that replies carry a cost. */
  readonly priced: boolean;
  readonly weights: TokenWeights;
  /** A request that is longer costs more for each of its tokens; null where none does. */
  readonly dearAbove: number | null;
  reply(request: ModelRequest): Promise<ModelReply>;
}
