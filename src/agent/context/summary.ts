/** Characters a token, at the low end, and characters a word: a model is told of its limit in words. */
const WORDS_A_TOKEN = 0.6;

/** What the model is told when steps are to be replaced by a summary: it has them, and the one before, in front of it. */
export function summaryRequest(through: number, tokens: number): string {
  return `[The conversation is getting long. Steps 1 to ${through} will no longer be shown to you from here on: write the summary that stands for them, for yourself. Answer with its text alone and call no tool.

Use these headings, in this order, and leave out those with nothing under them:
## State: what is done, what is under way, what is known to work and how it was checked
## Decisions: what was decided and why; what was ruled out
## Files: each path that matters and what is in it now
## Commands: the exact commands, services, ports and URLs that are in use
## Errors: exact messages, their cause, and what mended them; what is still broken
## Facts: names, ids, versions, numbers, keys of configuration, in their exact form
## Next: what comes next, in order

Write every name exactly: paths, ids, commands, error messages, numbers. If there is a summary of earlier steps above, merge it: the new one replaces it, and what it says stays unless it is no longer true. The task, the user's messages, your notes and your plan stay in front of you by themselves: do not repeat them. At most ${Math.floor(tokens * WORDS_A_TOKEN)} words.]`;
}

/** The same once more, to a model that did something else. */
export const summaryReminder = (fault: string): string =>
  `[That was no such summary: ${fault}. Write it now, as text alone, and shorter.]`;
