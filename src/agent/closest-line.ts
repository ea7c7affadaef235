const LINES_LOOKED_AT = 20_000;
const LINE_LENGTH = 500;
const CLOSE_ENOUGH = 0.5;

/** Says where in a text something like the wanted lines stands, for a model whose edit found nothing. */
export function closestLine(text: string, wanted: string): string {
  const first = wanted
    .split('\n')
    .find((line) => line.trim() !== '')
    ?.trim()
    .slice(0, LINE_LENGTH);
  if (!first) return 'It is nothing but whitespace.';
  const lines = text.split('\n').slice(0, LINES_LOOKED_AT);
  let best = { line: 0, likeness: 0 };
  const pairs = pairsOf(first);
  for (const [at, line] of lines.entries()) {
    const likeness = alike(pairs, line.trim().slice(0, LINE_LENGTH));
    if (likeness > best.likeness) best = { line: at, likeness };
  }
  if (best.likeness < CLOSE_ENOUGH) return 'No line is like it; read the file again.';
  const why =
    best.likeness === 1
      ? 'has the same words, so the whitespace or a later line differs'
      : 'is the most like its first line';
  return `Line ${best.line + 1} ${why}: ${JSON.stringify(lines[best.line]?.slice(0, LINE_LENGTH))}`;
}

/** Dice's coefficient over pairs of neighbouring characters: 1 for equal, 0 for nothing in common. */
function alike(pairs: Map<string, number>, line: string): number {
  const other = pairsOf(line);
  let common = 0;
  for (const [pair, count] of pairs) common += Math.min(count, other.get(pair) ?? 0);
  return (2 * common) / (size(pairs) + size(other));
}

function pairsOf(line: string): Map<string, number> {
  const pairs = new Map<string, number>();
  const text = ` ${line} `;
  for (let at = 1; at < text.length; at += 1) {
    const pair = text.slice(at - 1, at + 1);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}

const size = (pairs: Map<string, number>): number =>
  [...pairs.values()].reduce((sum, count) => sum + count, 0);
