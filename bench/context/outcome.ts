import type { ContextStrategy } from '../../src/agent/context/strategy.ts';
import { readEvents } from '../../src/store/read-events.ts';
import type { Store } from '../../src/store/store.ts';
import type { Answer } from './actor.ts';
import type { World } from './world.ts';

/** One request as the model server got it, in its tokens (four characters each). */
export interface Request {
  tokens: number;
  /** Of them, what a prefix cache would have served. */
  cached: number;
  /** Longer than the window. */
  refused: boolean;
}

/** What a job came to under a strategy. */
export interface Outcome {
  strategy: string;
  window: number;
  /** Tokens of all that was said and seen, each once. */
  history: number;
  steps: number;
  questions: number;
  /** Shares of the questions answered right: from what the request showed, and with recall. */
  fromView: number;
  withRecall: number;
  /** Of the wrong and missing answers, what was asked and said. */
  missed: string[];
  tokens: number;
  /** Share of the tokens. */
  cached: number;
  /** A cached token counts a tenth. */
  cost: number;
  compactions: number;
  /** Against the window. */
  largest: number;
  refused: number;
}

const CACHED_PRICE = 0.1;
const CHARACTERS_A_TOKEN = 4;

export async function measure(
  store: Store,
  jobId: string,
  { strategy, window }: { strategy: ContextStrategy; window: number },
  { questions }: World,
  answers: readonly Answer[],
  requests: readonly Request[],
): Promise<Outcome> {
  const right = answers.filter(({ question, value }) => questions[question]?.fact.value === value);
  const tokens = sum(requests.map((request) => request.tokens));
  const cached = sum(requests.map((request) => request.cached));
  const { steps, characters, compactions } = await countEvents(store, jobId);
  return {
    strategy: strategy.name,
    window,
    history: Math.round(characters / CHARACTERS_A_TOKEN),
    steps,
    questions: questions.length,
    fromView: right.filter(({ fromView }) => fromView).length / questions.length,
    withRecall: right.length / questions.length,
    missed: answers
      .filter((answer) => !right.includes(answer))
      .map(({ question, value }) => {
        const fact = questions[question]?.fact;
        return `${fact?.kind.question(fact.subject)} expected ${fact?.value}; found ${value}`;
      }),
    tokens,
    cached: cached / tokens,
    cost: tokens - cached + CACHED_PRICE * cached,
    compactions,
    largest: Math.max(...requests.map((request) => request.tokens)) / window,
    refused: requests.filter(({ refused }) => refused).length,
  };
}

/** In pages: the log of a long job is larger than what should lie in memory at once. */
async function countEvents(store: Store, jobId: string) {
  const counts = { steps: 0, characters: 0, compactions: 0 };
  for (let after = 0; ; ) {
    const page = await readEvents(store, jobId, { after, limit: 500 });
    for (const event of page) {
      if (event.type === 'context.compacted') counts.compactions += 1;
      if (event.type === 'tool.result') counts.characters += event.data.content.length;
      if (event.type === 'model.reply') {
        counts.steps += 1;
        counts.characters += event.data.text.length + JSON.stringify(event.data.tool_calls).length;
      }
    }
    const last = page.at(-1);
    if (!last) return counts;
    after = last.seq;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
