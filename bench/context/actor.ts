import type { Conversation } from '../../src/model/scripted/conversation.ts';
import type { ScriptedCall, Turn } from '../../src/model/scripted/script.ts';
import { answerFrom, passagesOf, type Seen, textsOf } from './reader.ts';
import { summaryFor } from './summariser.ts';
import type { World } from './world.ts';

/** Pages of a search that are read, and events that are opened when their excerpts do not say it. */
const PAGES = 3;
const OPENED = 2;
/** Calls that are made again for one question, since their results were compacted before they could be read. */
const MOST_AGAIN = 3;

/** How a question came out. */
export interface Answer {
  question: number;
  value: string | null;
  /** Whether it was read in what the request showed, before any recall. */
  fromView: boolean;
  recalls: number;
}

interface Asked {
  number: number;
  /** Null until its text has come. */
  text: string | null;
  recalls: number;
  found: Seen[];
  /** Events to open next. */
  open: number[];
  last: ScriptedCall;
  again: number;
}

/**
 * The scripted model: does one piece of work a step, and answers what it is asked. It knows the order of its work by
 * heart, but of any fact only what the request in front of it says, or what recall gives when asked with the question.
 */
export class Actor {
  readonly answers: Answer[] = [];
  readonly #world: World;
  #next = 0;
  #nextQuestion = 0;
  #asked: Asked | null = null;
  #calls = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** The piece of work that comes next. */
  get next(): number {
    return this.#next;
  }

  reply(conversation: Conversation): Turn {
    const { messages } = conversation;
    const summary = summaryFor(messages);
    if (summary !== null) return { text: summary };
    const said = this.#asked ? this.#thinkAbout(this.#asked, conversation) : '';
    if (typeof said !== 'string') return this.#call('', said);
    return this.#goOn(said);
  }

  /** A call that may find the answer, or what is said of the question once that is over. */
  #thinkAbout(asked: Asked, { messages }: Conversation): ScriptedCall | string {
    const message = messages.at(-1);
    if (message?.role !== 'tool') {
      asked.again += 1;
      return asked.again > MOST_AGAIN ? this.#answer(asked, null, false) : asked.last;
    }
    const newest = message.text;
    if (asked.text === null) {
      asked.text = new RegExp(`QUESTION ${asked.number}: (.*)`).exec(newest)?.[1] ?? '';
      const value = answerFrom(asked.text, textsOf(messages));
      if (value !== null) return this.#answer(asked, value, true);
      return this.#recall(asked, { query: asked.text });
    }
    const passages = passagesOf(newest);
    asked.found.push(...passages);
    if (asked.recalls === 1) asked.open = [...new Set(passages.map(({ order }) => order))].slice(0, OPENED);
    const value = answerFrom(asked.text, asked.found);
    if (value !== null) return this.#answer(asked, value, false);
    const page = asked.recalls + 1;
    if (page <= PAGES && newest.includes(`page ${page} has more`))
      return this.#recall(asked, { query: asked.text, page });
    const event = asked.open.shift();
    return event === undefined ? this.#answer(asked, null, false) : this.#recall(asked, { event });
  }

  #recall(asked: Asked, input: Record<string, unknown>): ScriptedCall {
    asked.recalls += 1;
    asked.last = { name: 'recall', input };
    return asked.last;
  }

  #answer({ number, recalls }: Asked, value: string | null, fromView: boolean): string {
    this.answers.push({ question: number, value, fromView, recalls });
    this.#asked = null;
    return value === null ? `I cannot answer question ${number}.` : `Question ${number} is answered.`;
  }

  /** The next question that is due, else the next piece of work, else the end. */
  #goOn(said: string): Turn {
    const due = this.#world.questions[this.#nextQuestion];
    if (due && due.after < this.#next) {
      const number = this.#nextQuestion;
      this.#nextQuestion += 1;
      const last = { name: 'shell', input: { command: `./question.sh ${number}` } };
      this.#asked = { number, text: null, recalls: 0, found: [], open: [], last, again: 0 };
      return this.#call(said, last);
    }
    if (this.#next >= this.#world.options.steps)
      return this.#call(said, { name: 'finish', input: { summary: 'All is done.', success: true } });
    const work = this.#world.work(this.#next);
    this.#next += 1;
    return this.#call([said, work.said].filter(Boolean).join(' '), work.call);
  }

  /** Ids of our own: what the server would make of the request's length comes again once a view has been cut. */
  #call(text: string, call: ScriptedCall): Turn {
    this.#calls += 1;
    return { text, calls: [{ ...call, id: `call_${this.#calls}` }] };
  }
}
