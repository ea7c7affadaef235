import type { Model, ModelReply } from '../model/model.ts';
import { CodedError } from '../protocol/errors.ts';
import type { ImageRef, JobEvent } from '../protocol/events.ts';
import type { AgentContext } from './agent.ts';
import { requestTokens } from './estimate.ts';
import type { Journal } from './journal.ts';
import { showImages } from './show-images.ts';
import { TOOLS } from './tools.ts';
import { view } from './view.ts';

/** Asks the model for its next step and stores what it says. @throws what the model throws; CONTEXT_OVERFLOW, MODEL_REJECTED. */
export async function think(
  context: AgentContext,
  journal: Journal,
  model: Model,
  system: string,
): Promise<void> {
  const step = (journal.lastReply()?.step ?? 0) + 1;
  const seen = journal.newest;
  const messages = view(context.job.request.prompt, journal.events);
  checkWindow(model, requestTokens(system + TOOL_TEXT, messages, journal.events));
  const speech = speechLog(context);
  const reply = await model.reply({
    system,
    messages: await showImages(messages, imagesOf(journal.events), context.images),
    tools: [...TOOLS],
    signal: context.signal,
    onText: speech.text,
    async onRetry({ attempt, delayMs, reason }) {
      await speech.text(`\n[${reason}; next try in ${(delayMs / 1_000).toFixed(1)} s]\n`);
      await journal.append({
        type: 'model.retry',
        data: { step, attempt, delay_ms: delayMs, reason: reason.slice(0, 2_000) },
      });
    },
  });
  await speech.end();
  await journal.append({ type: 'model.reply', data: { step, seen, ...asEvent(reply) } });
  if (reply.finishReason === 'content-filter' && reply.toolCalls.length === 0)
    throw new CodedError('MODEL_REJECTED', "The provider's content filter stopped the reply.");
}

const imagesOf = (events: readonly JobEvent[]): ImageRef[] =>
  events.flatMap((event) => (event.type === 'tool.result' ? (event.data.images ?? []) : []));

/** Descriptions stand for the schemas as well: they are about as long. */
const TOOL_TEXT = TOOLS.map(({ name, description }) => name + description.repeat(2)).join('\n');

function checkWindow(model: Model, tokens: number): void {
  if (model.contextWindow === null || tokens <= model.contextWindow) return;
  throw new CodedError(
    'CONTEXT_OVERFLOW',
    `The next request would be about ${tokens} tokens; the window of ${model.id} has ${model.contextWindow}.`,
  );
}

/** The model's words in the job's log, always ended by a newline. */
function speechLog(context: AgentContext) {
  let open = false;
  return {
    async text(piece: string): Promise<void> {
      open = !piece.endsWith('\n');
      await context.log('stdout', piece);
    },
    async end(): Promise<void> {
      if (open) await context.log('stdout', '\n');
    },
  };
}

const asEvent = (reply: ModelReply) => ({
  model: reply.model,
  text: reply.text,
  tool_calls: reply.toolCalls,
  finish_reason: reply.finishReason,
  usage: reply.usage,
  duration_ms: reply.durationMs,
  provider: reply.provider,
});
