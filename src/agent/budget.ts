import type { Model } from '../model/model.ts';
import { CodedError } from '../protocol/errors.ts';
import type { NewEvent } from '../protocol/events.ts';
import type { Limits } from '../protocol/job.ts';

/** What a job has used so far. */
export interface Spent {
  steps: number;
  tokens: number;
  costUsd: number;
}

/** The sum with what one more event tells of: a reply, or a summary that the model wrote. */
export function addSpent(sum: Spent, event: NewEvent): Spent {
  const usage = event.type === 'model.reply' || event.type === 'context.compacted' ? event.data.usage : null;
  if (!usage) return sum;
  return {
    steps: sum.steps + (event.type === 'model.reply' ? 1 : 0),
    tokens: sum.tokens + usage.input_tokens + usage.output_tokens,
    costUsd: sum.costUsd + (usage.cost_usd ?? 0),
  };
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
