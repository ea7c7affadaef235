import { type Notebook, planLines } from '../../protocol/notebook.ts';
import type { Said } from './turn.ts';

/** What stands for the steps that are no longer shown. */
export interface Memory {
  /** The last step of those. */
  through: number;
  /** Null when they were left out without one. */
  summary: string | null;
  /** Notes and plan as they were then: later changes are to be seen in the steps that follow. */
  notebook: Notebook;
}

/** The first message's texts: the task and, once there are steps that are no longer shown, what stands for them. */
export function headTexts(
  task: string,
  said: readonly Said[],
  memory: Memory | null,
  questions: ReadonlyMap<number, string>,
): string[] {
  if (!memory) return [task];
  const { through, summary, notebook } = memory;
  const messages = said.map(({ seq, text }) => {
    const question = questions.get(seq);
    return `[event ${seq}${question === undefined ? '' : `, in answer to your question ${JSON.stringify(question)}`}]\n${text}`;
  });
  return [
    task,
    `[Steps 1 to ${through} are no longer shown. What follows stands for them; recall finds everything that was in them, word for word.]`,
    ...section("The user's messages so far, word for word", messages),
    ...section(
      'Your notes',
      notebook.notes.map(({ note, text }) => `${note}. ${text}`),
    ),
    ...section('Your plan', [planLines(notebook.plan).join('\n')]),
    ...section(`Summary of steps 1 to ${through}`, [summary ?? '']),
  ];
}

function section(title: string, texts: string[]): string[] {
  const body = texts.filter((text) => text !== '').join('\n\n');
  return body === '' ? [] : [`# ${title}\n\n${body}`];
}
