import type { NewEvent, ToolCall } from '../../protocol/events.ts';
import { planLines } from '../../protocol/notebook.ts';

/** What recall finds and gives back of an event. */
export interface EventText {
  kind: 'user' | 'reply' | 'result' | 'output' | 'question' | 'note' | 'plan';
  /** Null for what belongs to no step: the user's messages. */
  step: number | null;
  /** Tools that were called, or the one whose result it is. */
  tools: string[];
  isError: boolean;
  /** The exact text; of a reply its words and then its calls with their inputs. */
  text: string;
  /** How much of the text, from its start, is searched: recall's own questions and answers would hide what they are about. */
  searched: number;
}

const RECALL = 'recall';

/** The text of an event in the history of an agent's work; null for events that have none. */
export function eventText(event: NewEvent): EventText | null {
  switch (event.type) {
    case 'message.user':
      return said('user', null, event.data.text);
    case 'question.asked':
      return said('question', event.data.step, event.data.question);
    case 'note.pinned':
    case 'note.updated':
      return said('note', event.data.step, event.data.text);
    case 'plan.set':
      return said('plan', event.data.step, planLines(event.data.items).join('\n'));
    case 'tool.result': {
      const { step, tool, content, is_error } = event.data;
      const searched = tool === RECALL ? 0 : content.length;
      return { kind: 'result', step, tools: [tool], isError: is_error, text: content, searched };
    }
    case 'tool.output': {
      const { step, tool, text } = event.data;
      return { kind: 'output', step, tools: [tool], isError: false, text, searched: text.length };
    }
    case 'model.reply': {
      const { step, text, tool_calls } = event.data;
      const others = [text, ...tool_calls.filter(({ name }) => name !== RECALL).map(callText)];
      const searched = others.filter(Boolean).join('\n');
      const recalls = tool_calls.filter(({ name }) => name === RECALL).map(callText);
      return {
        kind: 'reply',
        step,
        tools: [...new Set(tool_calls.map(({ name }) => name))],
        isError: false,
        text: [searched, ...recalls].filter(Boolean).join('\n'),
        searched: searched.length,
      };
    }
    default:
      return null;
  }
}

const said = (kind: EventText['kind'], step: number | null, text: string): EventText => ({
  kind,
  step,
  tools: [],
  isError: false,
  text,
  searched: text.length,
});

/** A call as people would write it down: text as it is, not as JSON with escapes, so that it can be found and copied. */
function callText({ name, input }: ToolCall): string {
  if (typeof input !== 'object' || input === null) return `> ${name} ${String(input ?? '')}`;
  const members = Object.entries(input).map(([key, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return text?.includes('\n') ? `${key}:\n${text}` : `${key}: ${text}`;
  });
  return [`> ${name}`, ...members].join('\n');
}
