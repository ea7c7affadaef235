import type { Model } from '../model/model.ts';
import { CodedError } from '../protocol/errors.ts';
import type { JobEvent } from '../protocol/events.ts';
import type { Limits } from '../protocol/job.ts';

/** What the job's steps have used so far. */
export interface Spent {
  steps: number;
  tokens: number;
  costUsd: number;
}

export function spent(events: readonly JobEvent[]): Spent {
  const sum: Spent = { steps: 0, tokens: 0, costUsd: 0 };
  for (const event of events) {
    if (event.type !== 'model.reply') continue;
    const { input_tokens, output_tokens, cost_usd } = event.data.usage;
    sum.steps += 1;
    sum.tokens += input_tokens + output_tokens;
    sum.costUsd += cost_usd ?? 0;
  }
  return sum;
}

/** @throws CodedError COST_LIMIT when a cost limit is set that nobody could keep. */
export function checkCostIsKnown(model: Model, limits: Limits): void {
  if (limits.max_cost_usd === null || model.priced) return;
  throw new CodedError(
    'COST_LIMIT',
    `limits.max_cost_usd is ${limits.max_cost_usd}, but the price of ${model.id} is not known, so the limit could not be kept.`,
    { hint: 'Leave limits.max_cost_usd out and set limits.max_tokens, or use a model whose price is known.' },
  );
}

/** @throws CodedError STEP_LIMIT, TOKEN_LIMIT or COST_LIMIT when nothing is left for another step. */
export function checkBudget({ steps, tokens, costUsd }: Spent, limits: Limits): void {
  if (steps >= limits.max_steps)
    throw new CodedError(
      'STEP_LIMIT',
      `The agent took ${steps} steps of limits.max_steps ${limits.max_steps}.`,
    );
  if (tokens >= limits.max_tokens)
    throw new CodedError(
      'TOKEN_LIMIT',
      `The agent used ${tokens} tokens of limits.max_tokens ${limits.max_tokens}.`,
    );
  if (limits.max_cost_usd !== null && costUsd >= limits.max_cost_usd)
    throw new CodedError(
      'COST_LIMIT',
      `The agent used ${costUsd.toFixed(4)} of limits.max_cost_usd ${limits.max_cost_usd}.`,
    );
}
