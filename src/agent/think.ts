import type { Model, ModelMessage, ModelReply } from '../model/model.ts';
import { CodedError } from '../protocol/errors.ts';
import type { ImageRef } from '../protocol/events.ts';
import type { AgentContext } from './agent.ts';
import { lowerTo, makeBudget } from './context/budget.ts';
import { makeRoom } from './context/compact.ts';
import type { ContextState } from './context/strategy.ts';
import type { Turn } from './context/turn.ts';
import { estimateTokens } from './estimate.ts';
import type { Journal } from './journal.ts';
import { showImages } from './show-images.ts';
import { TOOLS } from './tools.ts';

/** Of a request that a provider refused as too long, what the next ones may have. */
const AFTER_OVERFLOW = 0.7;

/**
 * What asks the model for the next step and stores what it says: compacts first where the request would be too large,
 * and once more, harder, when the provider says that it is.
 * Its function throws what the model throws; CONTEXT_OVERFLOW, MODEL_REJECTED.
 */
export function createThinker(
  context: AgentContext,
  journal: Journal,
  model: Model,
  system: string,
): () => Promise<void> {
  const { settings, strategy } = context.window;
  const { transcript, view } = journal;
  const outside = estimateTokens(system + TOOL_TEXT);
  const append = journal.append.bind(journal);
  let budget = makeBudget(model, settings);

  /** One request, behind the same system prompt and tools each time. */
  async function ask(messages: ModelMessage[], speech?: Speech): Promise<ModelReply> {
    return await model.reply({
      system,
      messages: await showImages(messages, imagesOf(transcript.turns), context.images),
      tools: [...TOOLS],
      signal: context.signal,
      cacheKey: context.job.id,
      replyTokens: budget.reply,
      ...(speech && { onText: speech.text }),
      async onRetry({ attempt, delayMs, reason }) {
        await speech?.text(`\n[${reason}; next try in ${(delayMs / 1_000).toFixed(1)} s]\n`);
        await append({
          type: 'model.retry',
          data: { step: transcript.lastStep + 1, attempt, delay_ms: delayMs, reason: reason.slice(0, 2_000) },
        });
      },
    });
  }

  const work = { transcript, view, strategy, outside, newest: () => journal.newest, append, ask };

  async function nextReply(): Promise<{ reply: ModelReply; state: ContextState }> {
    const speech = speechLog(context);
    const request = async (state: ContextState) => {
      const reply = await ask(view.messages(budget.limits), speech);
      await speech.end();
      return { reply, state };
    };
    const state = await makeRoom(work, budget);
    try {
      return await request(state);
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'CONTEXT_OVERFLOW') throw error;
      budget = lowerTo(budget, Math.floor(Math.min(state.tokens, budget.input) * AFTER_OVERFLOW), settings);
      const smaller = await makeRoom(work, budget);
      if (smaller.tokens >= state.tokens) throw error;
      return await request(smaller);
    }
  }

  return async function think() {
    const step = transcript.lastStep + 1;
    // Before anything else is stored: a message that comes from now on is not in what the model is shown.
    const seen = journal.newest;
    const { reply, state } = await nextReply();
    const { window, input, limits } = budget;
    const shown = { window, input, estimated: state.estimated, ...limits };
    await append({ type: 'model.reply', data: { step, seen, ...asEvent(reply), view: shown } });
    if (reply.finishReason === 'content-filter' && reply.toolCalls.length === 0)
      throw new CodedError('MODEL_REJECTED', "The provider's content filter stopped the reply.");
  };
}

const imagesOf = (turns: readonly Turn[]): ImageRef[] =>
  turns.flatMap(({ results }) => [...results.values()].flatMap(({ data }) => data.images ?? []));

/** Descriptions stand for the schemas as well: they are about as long. */
const TOOL_TEXT = TOOLS.map(({ name, description }) => name + description.repeat(2)).join('\n');

type Speech = ReturnType<typeof speechLog>;

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
