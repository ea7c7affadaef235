import type { Config } from '../config.ts';
import { CodedError } from '../protocol/errors.ts';

/** The setting that a provider cannot do without. */
const NEEDED = {
  anthropic: 'ANTHROPIC_API_KEY',
  openai: 'OPENAI_API_KEY',
  google: 'GOOGLE_GENERATIVE_AI_API_KEY',
  'openai-compatible': 'OPENAI_BASE_URL',
} as const;

/**
 * The model of a job of agent `llm`.
 * @throws CodedError MODEL_NOT_CONFIGURED where there is none or its provider's key is not set, MODEL_UNKNOWN.
 */
export function chooseModel(asked: string | undefined, config: Config): string {
  const model = asked ?? config.MODEL;
  if (model === undefined) {
    throw new CodedError(
      'MODEL_NOT_CONFIGURED',
      'agent "llm" needs a model: the request names none, and MODEL is unset',
    );
  }
  const provider = model.slice(0, model.indexOf('/'));
  if (!isProvider(provider)) {
    throw new CodedError(
      'MODEL_UNKNOWN',
      `model: expected a provider of ${Object.keys(NEEDED).join(', ')}; found ${JSON.stringify(provider)}`,
    );
  }
  const needed = NEEDED[provider];
  if (!config[needed]) {
    throw new CodedError(
      'MODEL_NOT_CONFIGURED',
      `model ${model}: its provider needs ${needed}, which is unset`,
      {
        hint: `Set ${needed} on the server, or name a model of a provider that is set up.`,
      },
    );
  }
  return model;
}

const isProvider = (name: string): name is keyof typeof NEEDED => Object.hasOwn(NEEDED, name);
