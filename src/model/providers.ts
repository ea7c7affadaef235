import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModelV4, SharedV4ProviderOptions } from '@ai-sdk/provider';
import type { Config } from '../config.ts';
import { CodedError } from '../protocol/errors.ts';
import type { ImagePlace } from './tool-images.ts';

/** The settings that a model is made from. */
export type ModelConfig = Pick<
  Config,
  | 'MODEL_CONTEXT_WINDOW'
  | 'MODEL_CATALOG'
  | 'MODEL_IMAGES'
  | 'MODEL_TIMEOUT_S'
  | 'ANTHROPIC_API_KEY'
  | 'ANTHROPIC_BASE_URL'
  | 'OPENAI_API_KEY'
  | 'OPENAI_BASE_URL'
  | 'GOOGLE_GENERATIVE_AI_API_KEY'
  | 'GOOGLE_BASE_URL'
>;

export interface ProviderModel {
  model: LanguageModelV4;
  /** @param cacheKey the same for all requests that begin alike. */
  options(cacheKey: string | undefined): SharedV4ProviderOptions;
  /** Whether it caches only what is marked, and must be told how long a reply may be. */
  marks: boolean;
  /** Where it sees the images of tool results. */
  images: ImagePlace;
  /** Values that no message may show. */
  secrets: string[];
}

const none = () => ({});

type Connect = (config: ModelConfig, name: string) => ProviderModel;

const PROVIDERS: Record<string, Connect> = {
  anthropic(config, name) {
    const apiKey = needed('ANTHROPIC_API_KEY', config.ANTHROPIC_API_KEY);
    const provider = createAnthropic({ apiKey, ...baseURL(config.ANTHROPIC_BASE_URL) });
    return { model: provider(name), options: none, marks: true, images: 'result', secrets: [apiKey] };
  },
  openai(config, name) {
    const apiKey = needed('OPENAI_API_KEY', config.OPENAI_API_KEY);
    const provider = createOpenAI({ apiKey, ...baseURL(config.OPENAI_BASE_URL) });
    // The job's log is the one copy of the conversation: nothing is to be kept at the provider or referred to there.
    const options = (cacheKey: string | undefined) => ({
      openai: { store: false, ...(cacheKey !== undefined && { promptCacheKey: cacheKey }) },
    });
    return { model: provider.responses(name), options, marks: false, images: 'result', secrets: [apiKey] };
  },
  google(config, name) {
    const apiKey = needed('GOOGLE_GENERATIVE_AI_API_KEY', config.GOOGLE_GENERATIVE_AI_API_KEY);
    const provider = createGoogle({ apiKey, ...baseURL(config.GOOGLE_BASE_URL) });
    return { model: provider(name), options: none, marks: false, images: 'result', secrets: [apiKey] };
  },
  'openai-compatible'(config, name) {
    const provider = createOpenAICompatible({
      name: 'compatible',
      baseURL: needed('OPENAI_BASE_URL', config.OPENAI_BASE_URL),
      includeUsage: true,
      ...(config.OPENAI_API_KEY && { apiKey: config.OPENAI_API_KEY }),
    });
    return {
      model: provider(name),
      options: none,
      marks: false,
      images: 'user',
      secrets: config.OPENAI_API_KEY ? [config.OPENAI_API_KEY] : [],
    };
  },
};

/**
 * The AI SDK's model of an id such as `anthropic/claude-sonnet-5-5`.
 * @throws CodedError MODEL_UNKNOWN for an id without a known provider, MODEL_NOT_CONFIGURED when a setting is missing.
 */
export function connectProvider(config: ModelConfig, id: string): ProviderModel {
  const slash = id.indexOf('/');
  const connect = slash > 0 && Object.hasOwn(PROVIDERS, id.slice(0, slash)) && PROVIDERS[id.slice(0, slash)];
  const name = id.slice(slash + 1);
  if (!connect || name === '') {
    throw new CodedError(
      'MODEL_UNKNOWN',
      `Expected a model as provider/name with a provider of ${Object.keys(PROVIDERS).join(', ')}; found "${id}".`,
    );
  }
  const connected = connect(config, name);
  return config.MODEL_IMAGES ? connected : { ...connected, images: 'none' };
}

function needed(variable: string, value: string | undefined): string {
  if (value) return value;
  throw new CodedError('MODEL_NOT_CONFIGURED', `The model's provider needs ${variable}, which is not set.`, {
    hint: `Set ${variable} in the server's environment, or name a model of another provider.`,
  });
}

const baseURL = (url: string | undefined) => (url ? { baseURL: url } : {});
