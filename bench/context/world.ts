import { type Fact, KINDS } from './facts.ts';
import { Random } from './random.ts';
import { NOUNS, QUALITIES, VERBS } from './words.ts';

export interface WorldOptions {
  /** Pieces of work; each takes one step, and each question at least one more. */
  steps: number;
  /** Length of a piece's result, in characters. */
  characters: number;
  seed: number;
}

/** A call that the agent makes, what it says with it, and what comes of it. */
export interface Work {
  said: string;
  call: { name: string; input: Record<string, unknown> };
  /** Of a shell command. */
  output: string;
  exitCode: number;
  /** What the user says before it. */
  message: string | null;
}

/** One fact for so many pieces of work, and one question for so many more. */
const WORK_A_FACT = 3;
const WORK_A_QUESTION = 6;
/** What a user said is kept word for word, and must fit the smallest window. */
const MOST_CORRECTIONS = 20;
/** Of the facts that were not asked for on the way, the share that is asked for at the end: one in so many. */
const LAST_QUESTIONS = 5;

/** Something that is asked for once a piece of work is done. */
export interface Question {
  after: number;
  fact: Fact;
}

/** A job that is made up from a seed: what there is to do, what is planted in it, and what is asked when. */
export class World {
  readonly options: WorldOptions;
  readonly facts: readonly Fact[];
  readonly questions: readonly Question[];
  readonly #planted = new Map<number, Fact[]>();

  constructor(options: WorldOptions) {
    this.options = options;
    const random = new Random(options.seed);
    const subjects = this.#subjects();
    const others = KINDS.filter(({ place }) => place !== 'user');
    this.facts = subjects.map((subject, n): Fact => {
      const at = n * WORK_A_FACT;
      const corrects = at % Math.max(30, options.steps / MOST_CORRECTIONS) < WORK_A_FACT;
      const kind = corrects ? KINDS.find(({ place }) => place === 'user') : others[n % others.length];
      if (!kind) throw new Error('expected a kind');
      const value = kind.value(random);
      const again = { at: at + 1 + random.below(40), value: kind.value(random) };
      return { kind, subject, value, at, replaced: kind.place === 'file written' ? again : null };
    });
    for (const fact of this.facts) {
      this.#plant(fact.at, fact);
      if (fact.replaced) this.#plant(fact.replaced.at, fact);
    }
    this.questions = this.#ask(new Random(options.seed + 3));
  }

  /** What the agent is asked with a question's number. */
  askedFor(question: number): string {
    const fact = this.questions[question]?.fact;
    return fact ? `QUESTION ${question}: ${fact.kind.question(fact.subject)}` : 'No such question.';
  }

  /** Facts of any age, each once: some at intervals, some at the end. */
  #ask(random: Random): Question[] {
    const { steps } = this.options;
    const left = new Set(this.facts.filter((fact) => (fact.replaced?.at ?? fact.at) < steps));
    const questions: Question[] = [];
    for (let after = WORK_A_QUESTION; after < steps; after += WORK_A_QUESTION) {
      const known = [...left].filter((fact) => (fact.replaced?.at ?? fact.at) <= after);
      if (known.length === 0) continue;
      const fact = random.pick(known);
      left.delete(fact);
      questions.push({ after, fact });
    }
    const last = [...left].filter(() => random.below(LAST_QUESTIONS) === 0);
    return [...questions, ...last.map((fact) => ({ after: steps - 1, fact }))];
  }

  work(n: number): Work {
    const random = new Random(this.options.seed * 31 + n);
    const planted = this.#planted.get(n) ?? [];
    const of = (place: string) => planted.find(({ kind }) => kind.place === place);
    const line = (fact: Fact) =>
      fact.kind.line(fact.subject, fact.replaced?.at === n ? fact.replaced.value : fact.value);
    const decision = of('decision');
    const correction = of('user');
    const said = `${decision ? line(decision) : this.#chatter(random)} Next is part ${n}.`;
    const message = correction ? line(correction) : null;
    const written = of('file written');
    const read = of('file read');
    const body = this.#lines(
      random,
      planted.filter(({ kind }) => kind.place !== 'decision' && kind.place !== 'user').map(line),
    );
    const shared = { said, message, exitCode: of('error') ? 1 : 0 };
    if (written) {
      const input = { path: `settings/${written.subject}.toml`, content: body };
      return { ...shared, call: { name: 'write_file', input }, output: '' };
    }
    if (read) {
      const input = { path: `src/part-${n}/pool.properties` };
      return { ...shared, call: { name: 'read_file', input }, output: body };
    }
    return { ...shared, call: { name: 'shell', input: { command: `./work.sh ${n}` } }, output: body };
  }

  #plant(at: number, fact: Fact): void {
    this.#planted.set(at, [...(this.#planted.get(at) ?? []), fact]);
  }

  #subjects(): string[] {
    const random = new Random(this.options.seed + 7);
    const count = Math.ceil(this.options.steps / WORK_A_FACT);
    return Array.from({ length: count }, (_, n) => `${random.pick(QUALITIES)}-${random.pick(NOUNS)}-${n}`);
  }

  #chatter(random: Random): string {
    return `The ${random.pick(QUALITIES)} ${random.pick(NOUNS)} looks right, ${random.below(90)} of its checks pass.`;
  }

  /** Noise of the wanted length, with the lines that matter somewhere in it. */
  #lines(random: Random, matter: readonly string[]): string {
    const lines: string[] = [];
    for (let length = 0; length < this.options.characters; length += (lines.at(-1)?.length ?? 0) + 1)
      lines.push(this.#noise(random));
    for (const line of matter) lines.splice(random.below(lines.length + 1), 0, line);
    return lines.join('\n');
  }

  #noise(random: Random): string {
    const fact = this.facts[random.below(this.facts.length)];
    const subject =
      random.below(4) === 0 && fact ? fact.subject : `${random.pick(QUALITIES)}-${random.pick(NOUNS)}`;
    return `${random.pick(['INFO', 'DEBUG', 'WARN'])} ${subject} ${random.pick(VERBS)} ${random.pick(NOUNS)}.${random.hex(4)} port ${random.below(60_000)} in ${random.below(5_000)} ms (error budget ${random.below(100)} %)`;
  }
}
