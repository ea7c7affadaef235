import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { z } from 'zod';
import { type Collected, Collector } from './collect.ts';
import { PassingFailure } from './failures.ts';
import type { ModelMessage, ModelRequest, ToolSpec } from './model.ts';
import { markCache } from './prompt-cache.ts';
import type { ProviderModel } from './providers.ts';
import { placeImages } from './tool-images.ts';

export type WholeReply = Collected & { finish: NonNullable<Collected['finish']> };

/**
 * One call to the provider, streamed to its end.
 * @param idleMs longest wait for the next piece, the first one included.
 * @throws the signal's reason when it aborts; PassingFailure when the stream stalls, breaks or ends without saying why;
 *   else what the provider's package throws.
 */
export async function streamReply(
  { model, options, marks, images }: ProviderModel,
  request: ModelRequest,
  idleMs: number,
): Promise<WholeReply> {
  const stalled = new AbortController();
  const idle = setTimeout(() => {
    stalled.abort(new PassingFailure(`no piece of the reply came within ${idleMs / 1_000} s`));
  }, idleMs);
  const signal = AbortSignal.any([request.signal, stalled.signal]);
  try {
    signal.throwIfAborted();
    const prompt: ModelMessage[] = [
      { role: 'system', content: request.system },
      ...placeImages(request.messages, images),
    ];
    const { stream } = await orAborted(
      model.doStream({
        prompt: marks ? markCache(prompt) : prompt,
        tools: request.tools.map(functionTool),
        providerOptions: options(request.cacheKey),
        ...(marks && request.replyTokens !== undefined && { maxOutputTokens: request.replyTokens }),
        abortSignal: signal,
      }),
      signal,
    );
    return await collect(stream, request, signal, () => idle.refresh());
  } catch (error) {
    request.signal.throwIfAborted();
    throw stalled.signal.aborted ? stalled.signal.reason : error;
  } finally {
    clearTimeout(idle);
    // Frees the connection of a stream that was left early.
    stalled.abort();
  }
}

async function collect(
  stream: ReadableStream<LanguageModelV4StreamPart>,
  request: ModelRequest,
  signal: AbortSignal,
  onPiece: () => void,
): Promise<WholeReply> {
  const collector = new Collector();
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await orAborted(reader.read(), signal);
      if (done) break;
      onPiece();
      if (value.type === 'error') throw value.error;
      if (value.type === 'text-delta' && value.delta !== '') {
        await request.onText?.(value.delta);
        onPiece();
      }
      collector.add(value);
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
  const { finish, ...collected } = collector.result();
  if (!finish || finish.reason === 'interrupted' || finish.reason === 'error')
    throw new PassingFailure('the stream ended before the reply was whole');
  return { ...collected, finish };
}

/** What a provider's package does with a signal is its own affair: an abort is to end the wait at once. */
async function orAborted<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function functionTool({ name, description, input }: ToolSpec) {
  return { type: 'function' as const, name, description, inputSchema: schemaOf(input) };
}

/** Made once: a tool's is the same in every request. */
const SCHEMAS = new WeakMap<z.ZodType, object>();

function schemaOf(input: z.ZodType): object {
  const known = SCHEMAS.get(input);
  if (known) return known;
  const { $schema: _, ...schema } = z.toJSONSchema(input, {
    io: 'input',
    // The bounds of whole numbers that nobody set are sent with every request and tell nothing.
    override({ jsonSchema }) {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  SCHEMAS.set(input, schema);
  return schema;
}
