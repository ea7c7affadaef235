import type { FoundLine } from './found-lines.ts';

/** A part of a passage, and what the words that stand together in it are worth. */
export interface Excerpt {
  start: number;
  text: string;
  score: number;
}

/** Lines that are looked at together: a fact and its name are seldom further apart. */
const TOGETHER = 3;

/**
 * The line that has the most of what is looked for, with as many whole lines around it as `length` characters hold.
 * What stands in that line counts twice, what is near to it once.
 * @param weights what each lexeme is worth in a line.
 */
export function excerpt(
  text: string,
  lines: readonly FoundLine[],
  weights: ReadonlyMap<string, number>,
  length: number,
): Excerpt {
  const worth = (lexemes: readonly string[]) =>
    [...new Set(lexemes)].reduce((sum, lexeme) => sum + (weights.get(lexeme) ?? 0), 0);
  let best = { at: 0, score: 0 };
  for (const [at, line] of lines.entries()) {
    const near = lines.slice(Math.max(0, at - TOGETHER + 1), at + TOGETHER).flatMap(({ found }) => found);
    const score = line.found.length === 0 ? 0 : 2 * worth(line.found) + worth(near);
    if (score > best.score) best = { at, score };
  }
  const [start, end] = around(text, lines, best.at, length);
  return { start, text: text.slice(start, end).toWellFormed(), score: best.score };
}

/** From where to where: neighbours are added in turn, for as long as they fit whole. */
function around(text: string, lines: readonly FoundLine[], at: number, length: number): [number, number] {
  const line = lines[at];
  if (!line) return [0, Math.min(length, text.length)];
  if (line.end - line.start >= length) return within(line, length);
  let [first, last] = [at, at];
  for (let grown = true; grown; ) {
    grown = false;
    for (const step of [1, -1]) {
      const [from, to] = step > 0 ? [first, last + 1] : [first - 1, last];
      const [start, end] = [lines[from]?.start, lines[to]?.end];
      if (start === undefined || end === undefined || end - start > length) continue;
      [first, last] = [from, to];
      grown = true;
    }
  }
  return [lines[first]?.start ?? 0, lines[last]?.end ?? text.length];
}

/** Of one long line, the part around the first thing found in it. */
function within({ start, end, first }: FoundLine, length: number): [number, number] {
  const from = Math.max(start, Math.min(start + first - Math.floor(length / 3), end - length));
  return [from, from + length];
}
