import type { NewEvent } from './events.ts';
import type { Note, PlanItem } from './notes.ts';

/** An agent's notes and plan as they stand. */
export interface Notebook {
  notes: Note[];
  plan: PlanItem[];
  /** The number of the next note: struck ones are not given again. */
  nextNote: number;
}

/** The kinds of events that a notebook is made of. */
export const NOTEBOOK_EVENTS = ['note.pinned', 'note.updated', 'note.struck', 'plan.set'] as const;

export const emptyNotebook = (): Notebook => ({ notes: [], plan: [], nextNote: 1 });

/** The notebook after one more event of the log, taken in order; the same one when the event is of another kind. */
export function addToNotebook(notebook: Notebook, event: NewEvent): Notebook {
  switch (event.type) {
    case 'note.pinned': {
      const { note, text, step } = event.data;
      return {
        ...notebook,
        notes: [...notebook.notes, { note, text, step }],
        nextNote: Math.max(notebook.nextNote, note + 1),
      };
    }
    case 'note.updated': {
      const { note, text, step } = event.data;
      const notes = notebook.notes.map((old) => (old.note === note ? { note, text, step } : old));
      return { ...notebook, notes };
    }
    case 'note.struck':
      return { ...notebook, notes: notebook.notes.filter(({ note }) => note !== event.data.note) };
    case 'plan.set':
      return { ...notebook, plan: event.data.items };
    default:
      return notebook;
  }
}

/** The notebook as a log leaves it; events of other kinds count for nothing. */
export const notebookOf = (events: readonly NewEvent[]): Notebook =>
  events.reduce(addToNotebook, emptyNotebook());

const MARKS = { open: '[ ]', doing: '[>]', done: '[x]', dropped: '[-]' } as const;

/** The plan as lines of text, each with its state as a mark. */
export const planLines = (plan: readonly PlanItem[]): string[] =>
  plan.map(({ text, state }) => `${MARKS[state]} ${text}`);
