/** Patterns are told apart by their first bytes: shorter ones cannot be looked for. */
export const SHORTEST_PATTERN = 4;

export interface Match {
  start: number;
  end: number;
  pattern: string;
}

/** Looks for any number of strings at once; a regular expression of as many would be too large. */
export interface Finder {
  /** From left to right, the longest at each place, none over another. */
  matches(text: string): Generator<Match>;
  /** Where the tail begins that a longer text might turn into a pattern; the text's length when nothing could. */
  tailStart(text: string): number;
}

/** @param patterns strings of characters up to U+00FF, of at least {@link SHORTEST_PATTERN}. */
export function createFinder(patterns: string[]): Finder {
  const longestFirst = patterns.toSorted((a, b) => b.length - a.length);
  const longest = longestFirst[0]?.length ?? 0;
  const byKey = Map.groupBy(longestFirst, (pattern) => keyAt(pattern, 0));

  function* matches(text: string): Generator<Match> {
    const last = text.length - SHORTEST_PATTERN;
    for (let start = 0; start <= last; start++) {
      const pattern = byKey.get(keyAt(text, start))?.find((one) => text.startsWith(one, start));
      if (pattern === undefined) continue;
      const end = start + pattern.length;
      yield { start, end, pattern };
      start = end - 1;
    }
  }
  function tailStart(text: string): number {
    for (let at = Math.max(0, text.length - longest + 1); at < text.length; at++) {
      const candidates = at <= text.length - SHORTEST_PATTERN ? byKey.get(keyAt(text, at)) : longestFirst;
      if (candidates === undefined) continue;
      const tail = text.slice(at);
      if (candidates.some((pattern) => pattern.length > tail.length && pattern.startsWith(tail))) return at;
    }
    return text.length;
  }
  return { matches, tailStart };
}

/** The first bytes of what stands there, as one number. */
const keyAt = (text: string, at: number): number =>
  text.charCodeAt(at) |
  (text.charCodeAt(at + 1) << 8) |
  (text.charCodeAt(at + 2) << 16) |
  (text.charCodeAt(at + 3) << 24);
