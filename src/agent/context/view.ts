import type { ModelMessage } from '../../model/model.ts';
import type { JobEvent } from '../../protocol/events.ts';
import { estimateTokens } from '../estimate.ts';
import type { Budget, ResultLimits } from './budget.ts';
import { messageTokens, turnImageTokens } from './measure.ts';
import { renderTurn } from './render-turn.ts';
import type { ContextState, StepSize } from './strategy.ts';
import { addUserText, Transcript } from './transcript.ts';
import type { Said, Turn } from './turn.ts';

/**
 * The messages that the model is shown: a pure function of the task, the job's events in the order of their numbers,
 * and how much of a step's results is shown. The task comes first; every call has exactly one result, in order and
 * right after its reply; every message of the user is there verbatim, after the step that had not seen it; user and
 * assistant alternate. What compaction events cover is a stub or is replaced by its summary.
 */
export const view = (task: string, events: readonly JobEvent[], limits: ResultLimits): ModelMessage[] =>
  new View(new Transcript(task).take(events)).messages(limits);

/**
 * The same for a transcript that grows: a step that is over is rendered once, so that the next request costs what is
 * new and the length of the view, not that of the log.
 */
export class View {
  readonly #transcript: Transcript;
  readonly #rendered = new WeakMap<Turn, Rendered>();

  constructor(transcript: Transcript) {
    this.#transcript = transcript;
  }

  /** @param through leaves out the steps after this one and what was said since. */
  messages(limits: ResultLimits, through = Number.POSITIVE_INFINITY): ModelMessage[] {
    const { turns, pending, stubbedThrough } = this.#transcript;
    const messages: ModelMessage[] = [];
    addUserText(messages, this.#transcript.head());
    for (const turn of turns) {
      if (turn.step > through) return messages;
      messages.push(...this.#render(turn, limits)[turn.step <= stubbedThrough ? 'stub' : 'whole'].messages);
      if (turn.after.length > 0) addUserText(messages, textsOf(turn.after));
    }
    addUserText(messages, pending);
    return messages;
  }

  /**
   * The view in figures: the provider's own count of the last request and an estimate of what has come since; all of
   * it estimated when it has been compacted in between, corrected by how the last estimate compared with the count.
   * @param outside tokens of the system prompt and the tools.
   */
  state(budget: Budget, outside: number): ContextState {
    const { turns, memory, usage, scale, pending, stubbedThrough } = this.#transcript;
    const summary = scale * estimateTokens(memory?.summary ?? '');
    const said = turns.flatMap(({ after }) => textsOf(after));
    const texts = [...this.#transcript.head(), ...said, ...pending];
    const fixed = scale * (outside + textTokens(texts)) - summary;
    const steps = turns.map((turn): StepSize => {
      const { whole, stub, images } = this.#render(turn, budget.limits);
      const stubbed = turn.step <= stubbedThrough;
      return {
        step: turn.step,
        whole: Math.ceil(scale * whole.tokens),
        stub: Math.ceil(scale * stub.tokens),
        stubbed,
        images: stubbed ? 0 : images,
      };
    });
    const all = steps.reduce((sum, each) => sum + (each.stubbed ? each.stub : each.whole), fixed + summary);
    const tokens = usage
      ? usage.input_tokens + usage.output_tokens + this.#since(budget.limits)
      : Math.ceil(all);
    return {
      tokens,
      estimated: Math.ceil(all / scale),
      fixed: Math.ceil(fixed),
      summary: Math.ceil(summary),
      steps,
    };
  }

  /** Estimated tokens of what has come since the newest reply. */
  #since(limits: ResultLimits): number {
    const turn = this.#transcript.turns.at(-1);
    const { pending } = this.#transcript;
    if (!turn) return textTokens(pending);
    const results = renderTurn(turn, limits).filter(({ role }) => role === 'tool');
    const said = [...textsOf(turn.after), ...pending];
    return messageTokens(results) + turnImageTokens(turn) + textTokens(said);
  }

  #render(turn: Turn, limits: ResultLimits): Rendered {
    const known = this.#rendered.get(turn);
    if (known?.limits.result === limits.result && known.limits.step === limits.step) return known;
    const [whole, stub] = [renderTurn(turn, limits), renderTurn(turn, 'stub')];
    const rendered: Rendered = {
      limits,
      whole: { messages: whole, tokens: messageTokens(whole) + turnImageTokens(turn) },
      stub: { messages: stub, tokens: messageTokens(stub) },
      images: [...turn.results.values()].reduce((sum, { data }) => sum + (data.images?.length ?? 0), 0),
    };
    // The newest step may still get results.
    if (turn !== this.#transcript.turns.at(-1)) this.#rendered.set(turn, rendered);
    return rendered;
  }
}

interface Rendered {
  limits: ResultLimits;
  whole: { messages: ModelMessage[]; tokens: number };
  stub: { messages: ModelMessage[]; tokens: number };
  images: number;
}

const textsOf = (said: readonly Said[]): string[] => said.map(({ text }) => text);

/** A little for the message around each. */
const textTokens = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + estimateTokens(text) + 10, 0);
