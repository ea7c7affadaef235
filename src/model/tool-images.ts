import type { ModelMessage } from './model.ts';

type ToolMessage = Extract<ModelMessage, { role: 'tool' }>;
type ToolPart = ToolMessage['content'][number];
type Output = Extract<ToolPart, { type: 'tool-result' }>['output'];
type UserPart = Extract<ModelMessage, { role: 'user' }>['content'][number];
type FilePart = Extract<UserPart, { type: 'file' }>;

/** What a model can do with an image in a tool's result: see it there, see it in a message of the user, or not at all. */
export type ImagePlace = 'result' | 'user' | 'none';

/**
 * The messages with the images of tool results where the model can see them. In a chat-completions request a tool's
 * result is text alone: its images come in the user's message that follows it.
 */
export function placeImages(messages: ModelMessage[], place: ImagePlace): ModelMessage[] {
  if (place === 'result') return messages;
  const placed: ModelMessage[] = [];
  let moved: UserPart[] = [];
  for (const message of messages) {
    if (moved.length > 0) {
      placed.push({ role: 'user', content: [...moved, ...(message.role === 'user' ? message.content : [])] });
      moved = [];
      if (message.role === 'user') continue;
    }
    if (message.role !== 'tool') {
      placed.push(message);
      continue;
    }
    const images: FilePart[] = [];
    placed.push({ ...message, content: message.content.map((part) => asText(part, place, images)) });
    if (images.length > 0)
      moved = [{ type: 'text', text: '[The images of the results above, in order.]' }, ...images];
  }
  if (moved.length > 0) placed.push({ role: 'user', content: moved });
  return placed;
}

/** A result as text; its images are added to the list when they can be shown elsewhere. */
function asText(part: ToolPart, place: ImagePlace, images: FilePart[]): ToolPart {
  if (part.type !== 'tool-result' || part.output.type !== 'content') return part;
  const lines = part.output.value.map((piece) => {
    if (piece.type === 'text') return piece.text;
    if (piece.type !== 'file') return '';
    if (place === 'none') return '[an image, which this model cannot see]';
    images.push({ type: 'file', mediaType: piece.mediaType, data: piece.data });
    return '[an image, shown in the next message]';
  });
  const output: Output = { type: 'text', value: lines.join('\n') };
  return { ...part, output };
}
