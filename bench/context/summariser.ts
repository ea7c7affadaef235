import type { Message } from '../../src/model/scripted/conversation.ts';

const ASKED = /write the summary that stands for them/;
const LIMIT = /At most (\d+) words/;
const EARLIER = /# Summary of steps 1 to \d+\n\n([\s\S]*)$/;
const CHARACTERS_A_WORD = 5;

interface Heading {
  title: string;
  /** Its share of the room. */
  share: number;
  lines(message: Message): string[];
}

/**
 * What a plausible summary keeps: what was said in deciding, what failed, which files were written, how it went. It
 * knows nothing of facts or questions: most numbers in most logs are lost, as they are in every summary.
 */
const HEADINGS: readonly Heading[] = [
  {
    title: '## Decisions',
    share: 0.4,
    lines: (message) => (message.role === 'assistant' ? sentences(message.text, /\bdecid/i) : []),
  },
  {
    title: '## Errors',
    share: 0.3,
    lines: (message) =>
      message.role === 'tool' ? linesWith(message.text, /\berror\b(?! budget)/i).slice(0, 1) : [],
  },
  {
    title: '## Files',
    share: 0.15,
    lines: (message) => (message.role === 'assistant' ? writtenPaths(message) : []),
  },
  {
    title: '## State',
    share: 0.15,
    lines: (message) => (message.role === 'assistant' ? sentences(message.text, /./).slice(0, 1) : []),
  },
];

/** The summary that a request asks for, merged with the one in it; null when it asks for none. */
export function summaryFor(messages: readonly Message[]): string | null {
  const request = messages.at(-1)?.text ?? '';
  if (!ASKED.test(request)) return null;
  const room = Number(LIMIT.exec(request)?.[1] ?? 500) * CHARACTERS_A_WORD;
  const earlier = EARLIER.exec(messages.find(({ role }) => role === 'user')?.text ?? '')?.[1] ?? '';
  const parts = HEADINGS.map(({ title, share, lines }) => {
    const old = earlier.split(/^(?=## )/m).find((part) => part.startsWith(title));
    const all = [...(old?.trim().split('\n').slice(1) ?? []), ...messages.slice(1, -1).flatMap(lines)];
    return [title, ...newest([...new Set(all)], room * share)].join('\n');
  });
  return parts.join('\n');
}

/** The newest lines that fit. */
function newest(lines: readonly string[], room: number): string[] {
  let left = room;
  const kept = lines.toReversed().filter((line) => {
    left -= line.length + 1;
    return left >= 0;
  });
  return kept.toReversed();
}

const sentences = (text: string, pattern: RegExp): string[] =>
  text.split(/(?<=\.)\s+/).filter((sentence) => sentence !== '' && pattern.test(sentence));

const linesWith = (text: string, pattern: RegExp): string[] =>
  text.split('\n').filter((line) => pattern.test(line));

const writtenPaths = (message: Extract<Message, { role: 'assistant' }>): string[] =>
  message.calls.flatMap(({ name, input }) =>
    name === 'write_file' ? [String((input as { path?: unknown }).path)] : [],
  );
