/** A part of a passage, and what the words in it are worth together. */
export interface Excerpt {
  start: number;
  text: string;
  score: number;
}

/** Lines that are looked at together: a fact and its name are seldom further apart. */
const WINDOW = 3;

/**
 * The lines around the place where the most is found, up to `length` characters.
 * @param weights what each lexeme is worth.
 */
export function excerpt(text: string, weights: ReadonlyMap<string, number>, length: number): Excerpt {
  const lines = linesOf(text);
  const found = lines.map((line) => lexemesIn(line.text, weights));
  let best = { at: 0, score: 0 };
  for (let at = 0; at < lines.length; at += 1) {
    const together = new Set(found.slice(at, at + WINDOW).flat());
    const score = [...together].reduce((sum, lexeme) => sum + (weights.get(lexeme) ?? 0), 0);
    if (score > best.score) best = { at, score };
  }
  const place = cutOut(text, lines[best.at]?.start ?? 0, length);
  return { ...place, score: best.score };
}

function linesOf(text: string): { start: number; text: string }[] {
  let start = 0;
  return text.split('\n').map((line) => {
    const found = { start, text: line };
    start += line.length + 1;
    return found;
  });
}

/** Stems stand at the beginning of their words, but for a final y, which the stemmer makes an i. */
function lexemesIn(line: string, weights: ReadonlyMap<string, number>): string[] {
  const low = line.toLowerCase();
  return [...weights.keys()].filter((lexeme) => low.includes(lexeme.replace(/(?<=\p{L})i$/u, '')));
}

/** A third of the room for what comes before the line. */
function cutOut(text: string, line: number, length: number): { start: number; text: string } {
  if (text.length <= length) return { start: 0, text };
  const wanted = Math.max(0, Math.min(line - Math.floor(length / 3), text.length - length));
  const next = wanted === 0 ? 0 : text.indexOf('\n', wanted) + 1;
  const start = next > 0 && next <= line ? next : wanted;
  return { start, text: text.slice(start, start + length).toWellFormed() };
}
