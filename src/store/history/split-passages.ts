/** Long enough to hold what belongs together, short enough that a rare word says what it is about. */
const LONGEST = 1_500;
const SHORTEST = 750;

/** Cuts a text into pieces that follow one another without gap or overlap, at the ends of lines or words where it can. */
export function splitPassages(text: string): { start: number; length: number }[] {
  const passages: { start: number; length: number }[] = [];
  for (let start = 0; start < text.length; ) {
    const end = text.length - start <= LONGEST ? text.length : cut(text, start);
    if (text.slice(start, end).trim() !== '') passages.push({ start, length: end - start });
    start = end;
  }
  return passages;
}

/** Where the passage that begins at `start` ends: after its last line end, else its last space, else where it is full. */
function cut(text: string, start: number): number {
  for (const separator of ['\n', ' ']) {
    const at = text.lastIndexOf(separator, start + LONGEST - 1);
    if (at >= start + SHORTEST) return at + 1;
  }
  const full = start + LONGEST;
  const low = text.charCodeAt(full);
  // Not between the halves of a surrogate pair.
  return low >= 0xdc00 && low <= 0xdfff ? full - 1 : full;
}
