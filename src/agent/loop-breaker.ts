import type { JobEvent } from '../protocol/events.ts';

export const WARN_AFTER = 3;
export const END_AFTER = 6;
/** The longest pattern that is looked for: A A A, A B A B, A B C A B C. */
const LONGEST_PERIOD = 3;

const WARNING_START = '\n\n[You are going in circles: ';

/** What a result is followed by when its call has been made again and again. */
export const loopWarning = (repeats: number): string =>
  `${WARNING_START}the same calls have given the same results ${repeats} times. Do something else. To wait for something, use one command that waits; if you are stuck, ask_user or finish with success false. At ${END_AFTER} times the job ends.]`;

/**
 * How many times the newest calls have repeated, with the same results, as a pattern of up to three calls.
 * A message from the user starts the count anew. 1 means no repetition.
 */
export function countRepeats(events: readonly JobEvent[]): number {
  const calls = recentCalls(events);
  let most = 1;
  for (let period = 1; period <= LONGEST_PERIOD; period += 1) {
    let same = 0;
    while (
      same + period < calls.length &&
      calls[calls.length - 1 - same] === calls[calls.length - 1 - same - period]
    )
      same += 1;
    most = Math.max(most, Math.floor(same / period) + 1);
  }
  return most;
}

/** The newest calls with their results, as text that is equal when they are; no more than can matter. */
function recentCalls(events: readonly JobEvent[]): string[] {
  const calls: string[] = [];
  const results: { id: string; step: number; text: string }[] = [];
  for (let at = events.length - 1; at >= 0 && calls.length < END_AFTER * LONGEST_PERIOD; at -= 1) {
    const event = events[at];
    if (event?.type === 'message.user') break;
    if (event?.type === 'tool.result') {
      const { call_id: id, step, content } = event.data;
      results.push({ id, step, text: stable(content) });
    } else if (event?.type === 'model.reply') {
      for (const call of event.data.tool_calls.toReversed()) {
        const result = results.find(({ id, step }) => id === call.id && step === event.data.step);
        if (result) calls.unshift(JSON.stringify([call.name, call.input, result.text]));
      }
    }
  }
  return calls;
}

/** A result without what differs from call to call although nothing else does. */
const stable = (content: string): string =>
  (content.split(WARNING_START, 1)[0] ?? '').replaceAll(
    /\.agent\/outputs\/\S+|\bIn ?\[\d+\]|\bcell-\d+\.ts|\bipykernel_\d+\/\d+\.py/g,
    '',
  );
