import { z } from 'zod';
import type { Notebook } from '../../protocol/notebook.ts';
import type { Note } from '../../protocol/notes.ts';
import { pinnedRoom } from '../room.ts';
import { defineTool, type ToolCallContext, type ToolResult } from '../tool.ts';

/** Flat, since providers take no union at the top of a schema. */
const Input = z.strictObject({
  action: z.enum(['pin', 'update', 'strike']),
  note: z.int().min(1).optional(),
  text: z.string().trim().min(1).max(4_000).optional(),
});

/** Repeatable: what a call wrote before a crash is found in the notebook, and not written twice. */
export const note = defineTool({
  name: 'note',
  description:
    'Keeps what you must not forget: a note stays in front of you word for word, however long the job gets, and the user sees it too. Pin decisions and why, facts that were hard to find (ports, paths, ids, versions, exact errors), what did not work, and what the user wants differently. One fact a note, in its exact words. action pin takes text; update takes note (its number) and text; strike takes note. Strike or update what is no longer true. What you did not pin is not lost: recall finds it.',
  input: Input,
  repeatable: true,
  summary: ({ action, note, text }) => (action === 'strike' ? `strike note ${note}` : `${action}: ${text}`),
  async run({ action, note, text }, call) {
    const notebook = await call.notebook();
    if (action === 'pin') return text ? await pin(text, notebook, call) : missing('pin', 'text');
    if (note === undefined) return missing(action, 'note');
    const old = notebook.notes.find((each) => each.note === note);
    if (action === 'strike') return await strike(note, old !== undefined, notebook, call);
    if (!text) return missing(action, 'text');
    return old ? await update(old, text, notebook, call) : noSuchNote(note, notebook);
  },
});

async function pin(text: string, notebook: Notebook, call: ToolCallContext): Promise<ToolResult> {
  const same = notebook.notes.find((note) => note.text === text);
  if (same) return { content: `Pinned as note ${same.note}.` };
  const full = overfull(notebook, text.length, call);
  if (full) return full;
  const note = notebook.nextNote;
  await call.append({ type: 'note.pinned', data: { step: call.step, call_id: call.callId, note, text } });
  return { content: `Pinned as note ${note}.` };
}

async function update(
  { note, text: before }: Note,
  text: string,
  notebook: Notebook,
  call: ToolCallContext,
): Promise<ToolResult> {
  const full = overfull(notebook, text.length - before.length, call);
  if (full) return full;
  if (before !== text)
    await call.append({ type: 'note.updated', data: { step: call.step, call_id: call.callId, note, text } });
  return { content: `Note ${note} is changed.` };
}

async function strike(
  note: number,
  stands: boolean,
  notebook: Notebook,
  call: ToolCallContext,
): Promise<ToolResult> {
  if (note >= notebook.nextNote) return noSuchNote(note, notebook);
  if (stands)
    await call.append({ type: 'note.struck', data: { step: call.step, call_id: call.callId, note } });
  return { content: `Note ${note} is struck.` };
}

function overfull({ notes }: Notebook, added: number, { model }: ToolCallContext): ToolResult | null {
  const room = pinnedRoom(model);
  const used = notes.reduce((sum, { text }) => sum + text.length, 0);
  if (used + added <= room) return null;
  return {
    content: `There is no room: the notes have ${used} of ${room} characters, and this would add ${added}. Strike or shorten what matters least; recall still finds it.`,
    isError: true,
  };
}

const missing = (action: string, member: string): ToolResult => ({
  content: `Action ${action} needs ${member}.`,
  isError: true,
});

function noSuchNote(note: number, { notes }: Notebook): ToolResult {
  const standing = notes.map((each) => each.note).join(', ') || 'none';
  return { content: `There is no note ${note}; the notes that stand: ${standing}.`, isError: true };
}
