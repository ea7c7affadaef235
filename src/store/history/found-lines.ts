/** A line of a passage, with what is found in it. */
export interface FoundLine {
  /** From where to where it goes in the passage. */
  start: number;
  end: number;
  /** The lexemes that it has, and where in it the first of them stands. */
  found: string[];
  first: number;
}

/** What finds a lexeme in a line, where there are no lexemes but words. */
export interface Finder {
  lexeme: string;
  pattern: RegExp;
}

/** Stems stand at the beginnings of words, but for a final y, which the stemmer makes an i; `a~b` are neighbours. */
export const finder = (lexeme: string): Finder => {
  const stem = lexeme.replace(/(?<=\p{L})i$/u, '');
  const words = stem.split('~').map((word) => word.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return { lexeme, pattern: new RegExp(`(?<![\\p{L}\\p{N}])${words.join('[^\\p{L}\\p{N}]{0,2}')}`, 'iu') };
};

export function foundLines(text: string, finders: readonly Finder[]): FoundLine[] {
  let start = 0;
  return text.split('\n').map((line) => {
    const places = finders.flatMap(({ lexeme, pattern }) => {
      const at = line.search(pattern);
      return at < 0 ? [] : [{ lexeme, at }];
    });
    const found = {
      start,
      end: start + line.length,
      found: places.map(({ lexeme }) => lexeme),
      first: Math.min(line.length, ...places.map(({ at }) => at)),
    };
    start += line.length + 1;
    return found;
  });
}

/** What each lexeme is worth in a line: the rarer among the lines of the passages that were found, the more. */
export function lineWeights(lines: readonly FoundLine[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const lexeme of lines.flatMap(({ found }) => found)) counts.set(lexeme, (counts.get(lexeme) ?? 0) + 1);
  return new Map([...counts].map(([lexeme, count]) => [lexeme, Math.log(1 + lines.length / count)]));
}
