import type { Budget } from './budget.ts';

/** What one shown step takes, in tokens. */
export interface StepSize {
  step: number;
  /** Shown whole, and shown as a stub. */
  whole: number;
  stub: number;
  /** Whether it is a stub already. */
  stubbed: boolean;
  /** How many images it shows now. */
  images: number;
}

/** A view in figures: all that a strategy may know. */
export interface ContextState {
  /** Tokens of the next request. */
  tokens: number;
  /** The same as the estimate alone has it, not corrected by any count. */
  estimated: number;
  /** Of them, what no compaction takes away: system prompt, tools, task, the user's messages, notes and plan. */
  fixed: number;
  /** The summary of the steps that are no longer shown; 0 while all are. */
  summary: number;
  /** The steps that are shown, oldest first. */
  steps: readonly StepSize[];
}

/**
 * One compaction. `stubs`: the results of the steps up to `through` become stubs. `summary`: the steps up to `through`
 * are replaced by a summary. `drop`: by a line that says that they are left out.
 */
export interface Plan {
  kind: 'stubs' | 'summary' | 'drop';
  through: number;
}

/**
 * Decides when and how a view is made smaller. Asked before every request, and again after each compaction until it
 * plans none. Pure: the same state and budget give the same plan. A plan must cover more than what is covered already.
 */
export interface ContextStrategy {
  readonly name: string;
  plan(state: ContextState, budget: Budget): Plan | null;
}
