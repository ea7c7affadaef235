import { CodedError } from '../protocol/errors.ts';
import type { JobEvent } from '../protocol/events.ts';
import { hasRunnableBlock, parseRunbook } from '../protocol/runbook.ts';
import type { Agent, AgentContext } from './agent.ts';
import { type BlockPlace, runBlock } from './run-block.ts';

/** Runs the code blocks of the prompt in order in one sandbox, until one fails. Needs no model. */
export const runbook: Agent = async (context) => {
  const { prompt } = context.job.request;
  const blocks = parseRunbook(prompt);
  if (!hasRunnableBlock(prompt))
    throw new CodedError('RUNBOOK_EMPTY', 'The prompt has no block that can run here.');
  const done = await startingPoint(context);
  const place: BlockPlace = { of: blocks.length, cwd: null, kernels: new Map() };
  for (const block of blocks.slice(done)) {
    await noteMessages(context, await context.checkpoint());
    await runBlock(context, block, place);
  }
  return {
    summary: `Ran ${blocks.length === 1 ? 'the one block' : `all ${blocks.length} blocks`} of the runbook.`,
  };
};

/** How many blocks need not run again: those that ended well in the sandbox that is still there. */
async function startingPoint({ history, sandboxKept, append }: AgentContext): Promise<number> {
  let done = 0;
  let started = 0;
  for (const event of history) {
    if (event.type === 'sandbox.lost') done = 0;
    if (event.type === 'block.started') started = event.data.block;
    if (event.type === 'block.ended' && event.data.exit_code === 0) done = event.data.block;
  }
  if (started === 0) return 0;
  const text = !sandboxKept
    ? 'The sandbox was lost: the runbook starts again from block 1 in a new one.'
    : started > done
      ? `Block ${started} was interrupted; it runs again from its start.`
      : `The runbook goes on after block ${done}.`;
  await append({ type: 'notice', data: { text } });
  return sandboxKept ? done : 0;
}

async function noteMessages(context: AgentContext, messages: JobEvent[]): Promise<void> {
  if (messages.length === 0) return;
  await context.append({
    type: 'notice',
    data: { text: 'A message came. It is kept with the job, but a runbook reads none.' },
  });
}
