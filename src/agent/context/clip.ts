import { estimateTokens } from '../estimate.ts';

/** How much of what is left goes to the head; the end of an output says how it came out. */
const HEAD_SHARE = 0.36;
const SMALLER = 0.85;

/**
 * A text that takes more than `tokens` as its head and tail, with `marker` (told how many characters are missing)
 * between them. Errs small.
 */
export function clip(text: string, tokens: number, marker: (missing: number) => string): string {
  const whole = estimateTokens(text);
  if (whole <= tokens) return text;
  for (let characters = Math.floor((text.length * tokens) / whole); ; characters *= SMALLER) {
    const head = text.slice(0, Math.floor(characters * HEAD_SHARE));
    const tail = text.slice(text.length - Math.ceil(characters * (1 - HEAD_SHARE)));
    const cut = `${endWhole(head)}\n\n${marker(text.length - head.length - tail.length)}\n\n${startWhole(tail)}`;
    // A text whose ends are denser than its middle; below this only the marker is left.
    if (characters < 50 || estimateTokens(cut) <= tokens) return cut;
  }
}

/** No half of a character that takes two places is left at the cut. */
const endWhole = (head: string): string => head.replace(/[\ud800-\udbff]$/, '');
const startWhole = (tail: string): string => tail.replace(/^[\udc00-\udfff]/, '');
