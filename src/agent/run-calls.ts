import { CodedError } from '../protocol/errors.ts';
import type { EventData } from '../protocol/events.ts';
import type { AgentContext } from './agent.ts';
import type { Journal } from './journal.ts';
import { runCall } from './run-call.ts';
import { FinishInput } from './tools/finish.ts';

const AFTER_FINISH = 'Not run: finish came before it.';
const NOT_YET_FAILED =
  'Not finished: a call of the same reply failed before you could see its result. Look at it, then call finish again, alone.';
const NOT_YET_MESSAGE =
  'Not finished: the user has sent a message. Read it, then go on or call finish again.';

/**
 * Runs the calls of the newest reply that have no result yet, in order: all of them after a reply, what a crash left
 * of them after a restart. Resolves with the job's summary when one of them was a `finish` that counts.
 * @throws CodedError AGENT_GAVE_UP, LOOP_DETECTED.
 */
export async function runCalls(context: AgentContext, journal: Journal): Promise<{ summary: string } | null> {
  const reply = journal.lastReply();
  if (!reply) return null;
  const results = journal.results(reply.step);
  let finished = false;
  let failed = false;
  for (const [at, call] of reply.tool_calls.entries()) {
    const refusal = finished
      ? AFTER_FINISH
      : call.name === 'finish' && !results.has(call.id)
        ? await whyNotYet(context, journal, failed)
        : null;
    const result =
      results.get(call.id) ??
      (await runCall(context, journal, { call, step: reply.step, place: at + 1, refusal }));
    if (call.name === 'finish' && !result.is_error) finished = true;
    if (result.is_error || (result.exit_code ?? 0) !== 0) failed = true;
  }
  return finished ? outcome(reply) : null;
}

/** A job must not end over something that its agent has not seen. */
async function whyNotYet(context: AgentContext, journal: Journal, failed: boolean): Promise<string | null> {
  if (failed) return NOT_YET_FAILED;
  const messages = await context.checkpoint();
  journal.take(messages);
  return messages.length > 0 ? NOT_YET_MESSAGE : null;
}

function outcome(reply: EventData<'model.reply'>): { summary: string } {
  const call = reply.tool_calls.find(
    ({ name, input }) => name === 'finish' && FinishInput.safeParse(input).success,
  );
  const { summary, success } = FinishInput.parse(call?.input);
  if (!success) throw new CodedError('AGENT_GAVE_UP', summary);
  return { summary };
}
