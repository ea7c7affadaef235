import { type ModelFacts, modelFacts } from './catalog.ts';
import { classify } from './failures.ts';
import type { Model, ModelReply, ModelRequest } from './model.ts';
import { connectProvider, type ModelConfig } from './providers.ts';
import { RETRY_POLICY, type RetryPolicy, withRetries } from './retry.ts';
import { streamReply, type WholeReply } from './stream-reply.ts';
import { stepUsage } from './usage.ts';
import { weightsOf } from './weights.ts';

/**
 * A model by its id, `provider/name`; nothing is sent yet.
 * @throws CodedError MODEL_UNKNOWN, MODEL_NOT_CONFIGURED.
 */
export function createModel(config: ModelConfig, id: string, policy: RetryPolicy = RETRY_POLICY): Model {
  const provider = connectProvider(config, id);
  const { context, prices } = modelFacts(id, config.MODEL_CATALOG, config.MODEL_CONTEXT_WINDOW);
  const redact = hide(provider.secrets);

  async function reply(request: ModelRequest): Promise<ModelReply> {
    const started = performance.now();
    const whole = await withRetries(
      async () => {
        try {
          return await streamReply(provider, request, config.MODEL_TIMEOUT_S * 1_000);
        } catch (error) {
          request.signal.throwIfAborted();
          throw classify(error, redact);
        }
      },
      policy,
      request.signal,
      async (retry) => request.onRetry?.(retry),
    );
    return asReply(id, whole, prices, performance.now() - started);
  }

  return {
    id,
    contextWindow: context,
    priced: prices !== null,
    weights: weightsOf(prices),
    dearAbove: prices?.price_above?.tokens ?? null,
    reply,
  };
}

function asReply(
  id: string,
  whole: WholeReply,
  prices: ModelFacts['prices'],
  durationMs: number,
): ModelReply {
  return {
    model: id,
    text: whole.text,
    toolCalls: whole.toolCalls,
    finishReason: whole.finish.reason,
    usage: stepUsage(whole.finish.usage, prices),
    durationMs: Math.round(durationMs),
    provider: whole.message,
  };
}

/** Takes keys out of a provider's words, also where it quotes them shortened (`sk-ab***yz`). */
const hide =
  (secrets: string[]) =>
  (text: string): string =>
    secrets
      .reduce((result, secret) => result.replaceAll(secret, '[key]'), text)
      .replaceAll(/\b(sk|key|AIza)[-_]?[\w*-]{12,}/g, '[key]');
