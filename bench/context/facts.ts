import type { Random } from './random.ts';
import { NOUNS, QUALITIES } from './words.ts';

/** Where a fact turns up. */
export type Place = 'log' | 'error' | 'file read' | 'commit' | 'decision' | 'user' | 'file written';

interface Kind {
  place: Place;
  value(random: Random): string;
  /** The line that holds the fact. */
  line(subject: string, value: string): string;
  question(subject: string): string;
  /** How a reader knows the line again: the subject from the question goes in, the value comes out. */
  pattern(subject: string): RegExp;
}

/** The kinds of facts. A question never has the line's own words alone, and noise has the subjects in other lines. */
export const KINDS: readonly Kind[] = [
  {
    place: 'log',
    value: (random) => String(20_000 + random.below(40_000)),
    line: (subject, value) => `INFO ${subject} accepting connections, listening on 0.0.0.0:${value}`,
    question: (subject) => `On which port does ${subject} listen?`,
    pattern: (subject) =>
      new RegExp(`${subject} accepting connections, listening on 0\\.0\\.0\\.0:(\\d+)`, 'g'),
  },
  {
    place: 'error',
    value: (random) => `E${1_000 + random.below(9_000)}`,
    line: (subject, value) => `ERROR [${value}] migration of ${subject} aborted: checksum of step 3 differs`,
    question: (subject) => `With which error code was the migration of ${subject} aborted?`,
    pattern: (subject) => new RegExp(`ERROR \\[(E\\d+)\\] migration of ${subject} aborted`, 'g'),
  },
  {
    place: 'file read',
    value: (random) => String(10 + random.below(990)),
    line: (subject, value) => `pool.${subject}.maxConnections = ${value}`,
    question: (subject) => `What is the maximum of connections in the pool of ${subject}?`,
    pattern: (subject) => new RegExp(`pool\\.${subject}\\.maxConnections = (\\d+)`, 'g'),
  },
  {
    place: 'commit',
    value: (random) => random.hex(40),
    line: (subject, value) => `commit ${value} (tag: release-of-${subject})`,
    question: (subject) => `Which commit was tagged as the release of ${subject}?`,
    pattern: (subject) => new RegExp(`commit ([0-9a-f]{40}) \\(tag: release-of-${subject}\\)`, 'g'),
  },
  {
    place: 'decision',
    value: (random) => `${random.pick(QUALITIES)}${random.pick(NOUNS)}DB`,
    line: (subject, value) =>
      `I decide that ${subject} is stored in ${value}: the others lost writes under load.`,
    question: (subject) => `In what did you decide to store ${subject}?`,
    pattern: (subject) => new RegExp(`I decide that ${subject} is stored in (\\w+):`, 'g'),
  },
  {
    place: 'user',
    value: (random) => `${random.pick(QUALITIES)} ${random.pick(NOUNS)} ${random.below(100)}`,
    line: (subject, value) => `A correction: the page of ${subject} must be headed "${value}" after all.`,
    question: (subject) => `How did the user want the page of ${subject} headed?`,
    pattern: (subject) => new RegExp(`page of ${subject} must be headed "([^"]+)"`, 'g'),
  },
  {
    place: 'file written',
    value: (random) => String(100 + random.below(900)),
    line: (subject, value) => `retry_budget_ms = ${value} # ${subject}`,
    question: (subject) => `What was the retry budget of ${subject} before its file was written anew?`,
    pattern: (subject) => new RegExp(`retry_budget_ms = (\\d+) # ${subject}`, 'g'),
  },
];

export interface Fact {
  kind: Kind;
  subject: string;
  value: string;
  /** The piece of work that it is planted in. */
  at: number;
  /** Only of written files: when the file gets another value, and which. */
  replaced: { at: number; value: string } | null;
}

/** A question taken apart by someone who knows the kinds, and nothing of the facts. */
export function understand(question: string): { pattern: RegExp; before: boolean } | null {
  for (const kind of KINDS) {
    const [head = '', tail = ''] = kind.question('\0').split('\0');
    if (!question.startsWith(head) || !question.endsWith(tail)) continue;
    const subject = question.slice(head.length, question.length - tail.length);
    if (/^[a-z]+-[a-z]+-\d+$/.test(subject))
      return { pattern: kind.pattern(subject), before: kind.place === 'file written' };
  }
  return null;
}
