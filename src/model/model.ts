import type { ModelMessage } from 'ai';
import type { z } from 'zod';
import type { StepUsage, ToolCall } from '../protocol/events.ts';

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
  /** Told before each wait, so that a person can see why nothing happens. */
  onRetry?: (retry: { attempt: number; delayMs: number; reason: string }) => void | Promise<void>;
  /** Each piece of text as it comes. */
  onText?: (text: string) => void;
}

export interface ModelReply {
  /** `provider/name`. */
  model: string;
  text: string;
  /** Inputs are parsed JSON, not yet checked against the tool's schema; text that is no JSON stays a string. */
  toolCalls: ToolCall[];
  finishReason: string;
  usage: StepUsage;
  durationMs: number;
  /** The reply as the provider wants it back (an assistant message with signatures and reasoning): plain JSON. */
  provider: unknown;
}

/**
 * One language model. `reply` retries what may pass (rate limits, overload, broken streams) with backoff and
 * fails with a CodedError: MODEL_AUTH_FAILED, MODEL_REJECTED, MODEL_UNAVAILABLE, CONTEXT_OVERFLOW.
 */
export interface Model {
  /** `provider/name`. */
  readonly id: string;
  /** Tokens; null where nobody knows. */
  readonly contextWindow: number | null;
  reply(request: ModelRequest): Promise<ModelReply>;
}
