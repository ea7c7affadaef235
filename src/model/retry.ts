import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../protocol/errors.ts';
import { PassingFailure } from './failures.ts';

export interface RetryPolicy {
  /** Calls in all, the first included. */
  attempts: number;
  /** The first wait; each further one is twice as long, up to `maxDelayMs`, less up to a quarter by chance. */
  baseDelayMs: number;
  maxDelayMs: number;
  /** A provider that asks for a longer wait than this is given up. */
  maxRetryAfterMs: number;
}

/** About four minutes in all: longer than a provider's rate window, shorter than a person's patience. */
export const RETRY_POLICY: RetryPolicy = {
  attempts: 9,
  baseDelayMs: 1_000,
  maxDelayMs: 60_000,
  maxRetryAfterMs: 600_000,
};

/**
 * Calls `attempt` until it succeeds or fails for good; waits after each {@link PassingFailure}.
 * @throws CodedError MODEL_UNAVAILABLE when every attempt failed; the signal's reason when it aborts; else what `attempt` threw.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  policy: RetryPolicy,
  signal: AbortSignal,
  onRetry: (retry: { attempt: number; delayMs: number; reason: string }) => void | Promise<void>,
): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PassingFailure)) throw error;
      const delayMs = delayBefore(tried, error.retryAfterMs, policy);
      if (tried >= policy.attempts || delayMs > policy.maxRetryAfterMs) {
        const times = tried === 1 ? 'once' : `${tried} times`;
        throw new CodedError('MODEL_UNAVAILABLE', `Tried ${times}; the last failure: ${error.message}`);
      }
      await onRetry({ attempt: tried, delayMs, reason: error.message });
      await sleep(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

function delayBefore(tried: number, retryAfterMs: number | null, policy: RetryPolicy): number {
  const backoff = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (tried - 1));
  return Math.round(Math.max(backoff * (1 - Math.random() / 4), retryAfterMs ?? 0));
}
