import type { Result } from './turn.ts';

/** What is shorter stays as it is: its stub would be hardly shorter. */
const WORTH_IT = 400;
const LINE = 120;
const INPUT_HEAD = 200;
/** Inputs that stay whole: they are the agent's own memory. */
const KEPT_INPUTS = new Set(['note', 'plan', 'ask_user', 'finish']);

/** A stale result: what it was about, and how to get it back. */
export function stubResult({ seq, data }: Result): string {
  const { content, full_output, images = [] } = data;
  const gone = images.length > 0 ? `\n[images no longer shown: ${images.length}]` : '';
  if (content.length <= WORTH_IT) return content + gone;
  const lines = content.trim().split('\n');
  const where = full_output ? `; the whole output is in ${full_output}` : '';
  const ends = [lines[0], lines.at(-1)].map((line) => JSON.stringify((line ?? '').slice(0, LINE)));
  return `[${content.length} characters left out to save room: recall event ${seq} for them${where}. It began ${ends[0]} and ended ${ends[1]}]${gone}`;
}

/** The input of a stale call, its long texts cut. `seq` is the number of the reply that made it. */
export function stubInput(tool: string, input: unknown, seq: number): unknown {
  return KEPT_INPUTS.has(tool) ? input : cutTexts(input, seq);
}

function cutTexts(value: unknown, seq: number): unknown {
  if (typeof value === 'string') {
    if (value.length <= WORTH_IT) return value;
    const head = value.slice(0, INPUT_HEAD).replace(/[\ud800-\udbff]$/, '');
    return `${head} [${value.length - head.length} more characters left out here to save room: recall event ${seq} for them]`;
  }
  if (Array.isArray(value)) return value.map((item) => cutTexts(item, seq));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, cutTexts(item, seq)]));
}
