import { CodedError } from '../../protocol/errors.ts';
import type { EventData } from '../../protocol/events.ts';
import { estimateTokens } from '../estimate.ts';
import type { Budget } from './budget.ts';
import type { Compaction } from './compaction.ts';
import { stepRoom } from './layered.ts';
import type { ContextState, Plan } from './strategy.ts';
import { summarise } from './summarise.ts';
import type { Transcript } from './transcript.ts';

/** Of what a request may fill, what steps must have at the least for a job to get anywhere. */
const LEAST_ROOM = 0.1;
/** More than any strategy needs: each covers more than the one before. */
const MOST_AT_ONCE = 100;

/**
 * Compacts as the strategy plans until the next request fits; each compaction is an event.
 * @returns the view in figures. @throws CodedError CONTEXT_OVERFLOW when what must be shown leaves too little room.
 */
export async function makeRoom(work: Compaction, budget: Budget): Promise<ContextState> {
  const { transcript, view, strategy, outside } = work;
  let state = view.state(budget, outside);
  for (let done = 0; done < MOST_AT_ONCE; done += 1) {
    const plan = strategy.plan(state, budget);
    if (!plan || !coversMore(plan, transcript)) break;
    if (stepRoom(state, budget) < budget.compactAt * LEAST_ROOM) throw overflow(state, budget);
    await carryOut(work, plan, state, budget);
    state = view.state(budget, outside);
  }
  if (state.tokens > budget.input) throw overflow(state, budget);
  return state;
}

const coversMore = ({ kind, through }: Plan, { stubbedThrough, memory }: Transcript): boolean =>
  through > (kind === 'stubs' ? stubbedThrough : (memory?.through ?? 0));

async function carryOut(work: Compaction, plan: Plan, before: ContextState, budget: Budget): Promise<void> {
  const started = performance.now();
  const { transcript } = work;
  const made = plan.kind === 'summary' ? await summarise(work, plan.through, before, budget) : null;
  const through = made?.through ?? plan.through;
  const next = transcript.turns.find(({ step }) => step > through);
  const covered = plan.kind === 'stubs' ? transcript.stubbedThrough : (transcript.memory?.through ?? 0);
  const summary = made?.text ?? null;
  const data: EventData<'context.compacted'> = {
    kind: plan.kind,
    from_step: covered + 1,
    through_step: through,
    through_seq: next ? next.seq - 1 : work.newest(),
    seen: next ? (next.reply.seen ?? next.seq) : transcript.lastSeen,
    summary,
    author: made?.author ?? null,
    fault: made?.fault ?? null,
    tokens_before: before.tokens,
    tokens_after: sizeAfter(before, { ...plan, through }, transcript.scale * estimateTokens(summary ?? '')),
    usage: made?.usage ?? null,
    duration_ms: Math.round(performance.now() - started),
  };
  await work.append({ type: 'context.compacted', data });
}

function sizeAfter({ fixed, summary, steps }: ContextState, plan: Plan, newSummary: number): number {
  const stubs = plan.kind === 'stubs';
  const shown = steps
    .filter(({ step }) => stubs || step > plan.through)
    .map(({ step, whole, stub, stubbed }) => (stubbed || step <= plan.through ? stub : whole));
  return shown.reduce((sum, size) => sum + size, fixed + Math.ceil(stubs ? summary : newSummary));
}

function overflow({ tokens, fixed, summary, steps }: ContextState, budget: Budget): CodedError {
  const newest = steps.at(-1);
  return new CodedError(
    'CONTEXT_OVERFLOW',
    `The next request would be about ${tokens} tokens, and at most ${budget.input} may be sent (a window of ${budget.window} less ${budget.reply} for the reply). What must always be shown (instructions, tools, the task, the user's messages, notes and plan) takes about ${fixed}, the summary ${summary}, the newest step ${newest ? (newest.stubbed ? newest.stub : newest.whole) : 0}.`,
  );
}
