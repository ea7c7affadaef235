import { BadRequest, type Conversation, firstUserText, toolResults, turnOf } from './conversation.ts';
import type { Script, ScriptFile, Turn } from './script.ts';

/** The turn that the script has for this conversation, its templates filled in. */
export async function chooseTurn(script: Script, conversation: Conversation): Promise<Turn> {
  if (typeof script === 'function') return script(conversation);
  return fill(fromTracks(script, conversation), conversation);
}

function fromTracks({ tracks }: ScriptFile, conversation: Conversation): Turn {
  const prompt = firstUserText(conversation);
  const track =
    tracks.find(({ when }) => when !== undefined && prompt.includes(when)) ??
    tracks.find(({ when }) => when === undefined);
  if (!track)
    throw new BadRequest(`no track of the script is for a first message like "${prompt.slice(0, 100)}"`);
  const { turns, repeat_from } = track;
  const at = turnOf(conversation);
  const turn =
    at < turns.length || repeat_from === undefined
      ? turns[at]
      : turns[repeat_from - 1 + ((at - turns.length) % (turns.length - repeat_from + 1))];
  if (!turn) throw new BadRequest(`the script has ${turns.length} turns; this would be turn ${at + 1}`);
  return turn;
}

/** `{{prompt}}`, `{{last_message}}`, `{{result 2}}` (the second tool result) and `{{result -1}}` (the newest). */
function fill(turn: Turn, conversation: Conversation): Turn {
  const results = toolResults(conversation);
  const value = (name: string): string => {
    if (name === 'prompt') return firstUserText(conversation);
    if (name === 'last_message') return conversation.messages.at(-1)?.text ?? '';
    const n = Number(name.slice('result '.length));
    return results.at(n > 0 ? n - 1 : n) ?? '';
  };
  const inText = (text: string) =>
    text.replaceAll(/\{\{(prompt|last_message|result -?\d+)\}\}/g, (_, name: string) => value(name));
  return deep(turn, inText) as Turn;
}

function deep(value: unknown, inText: (text: string) => string): unknown {
  if (typeof value === 'string') return inText(value);
  if (Array.isArray(value)) return value.map((item) => deep(item, inText));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, deep(item, inText)]));
}
