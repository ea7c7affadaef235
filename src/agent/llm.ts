import { CodedError } from '../protocol/errors.ts';
import type { JobEvent } from '../protocol/events.ts';
import type { Agent } from './agent.ts';
import { checkBudget, checkCostIsKnown } from './budget.ts';
import { Journal } from './journal.ts';
import { runCalls } from './run-calls.ts';
import { systemPrompt } from './system-prompt.ts';
import { createThinker } from './think.ts';

/** Replies in a row without a tool call, each answered with a reminder, before the model is given up. */
const MAX_IDLE_REPLIES = 3;

/**
 * A language model with tools. Each turn of the loop runs the calls of the newest reply, then asks the model for the
 * next one; everything is in the log before anything that follows from it is done, so a restarted job goes on from its
 * history alone.
 */
export const llm: Agent = async (context) => {
  const { model, job } = context;
  if (!model) throw new CodedError('MODEL_NOT_CONFIGURED', 'The job has no model to work with.');
  const { limits } = job.request;
  checkCostIsKnown(model, limits);
  const system = systemPrompt(job.request);
  const journal = new Journal(context);
  const think = createThinker(context, journal, model, system);
  for (;;) {
    const done = await runCalls(context, journal);
    if (done) return done;
    journal.take(await context.checkpoint());
    checkIdle(journal.events);
    checkBudget(journal.spent, limits);
    await think();
  }
};

/** @throws CodedError MODEL_ANSWER_INVALID when the model goes on talking without doing anything. */
function checkIdle(events: readonly JobEvent[]): void {
  const replies = events.filter((event) => event.type === 'model.reply' || event.type === 'message.user');
  const busy = replies.findLastIndex(
    (event) => event.type !== 'model.reply' || event.data.tool_calls.length > 0,
  );
  const idle = replies.slice(busy + 1);
  if (idle.length <= MAX_IDLE_REPLIES) return;
  const last = idle.at(-1);
  const said = last?.type === 'model.reply' ? last.data.text.slice(0, 500) : '';
  throw new CodedError(
    'MODEL_ANSWER_INVALID',
    `${idle.length} replies in a row called no tool, although reminded to go on or to finish. The last said: ${said || 'nothing'}`,
  );
}
