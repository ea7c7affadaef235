import type { ModelMessage } from '../model/model.ts';
import type { ImageRef } from '../protocol/events.ts';
import type { JobImages } from './image.ts';

type ToolPart = Extract<ModelMessage, { role: 'tool' }>['content'][number];
type Output = Extract<ToolPart, { type: 'tool-result' }>['output'];
type Shown = Extract<Output, { type: 'content' }>['value'][number];

/** The name under which a part of a view refers to an image of the job. */
const OURS = 'job-image';
/**
 * Requests grow dear and providers refuse more than a hundred images or so: the older ones go, this many at a time so
 * that the start of the request stays as it was and the provider's cache holds.
 */
const CHUNK = 20;

/** A part of a tool's result that stands for an image until {@link showImages} puts its bytes in. */
export const imagePart = (ref: ImageRef): Shown => ({
  type: 'file',
  mediaType: ref.media_type,
  data: { type: 'reference', reference: { [OURS]: ref.id } },
});

/** The messages with the newest images (20 to 39 of them) in the place of their references; the rest become words. */
export async function showImages(
  messages: ModelMessage[],
  refs: readonly ImageRef[],
  images: JobImages,
): Promise<ModelMessage[]> {
  const known = new Map(refs.map((ref) => [ref.id, ref]));
  const count = messages.flatMap(partsOf).filter((part) => idOf(part) !== null).length;
  const left = Math.floor(Math.max(0, count - CHUNK) / CHUNK) * CHUNK;
  let seen = 0;

  async function show(part: Shown): Promise<Shown> {
    const id = idOf(part);
    if (id === null) return part;
    seen += 1;
    if (seen <= left) return words('[an older image, no longer shown]');
    const ref = known.get(id);
    const bytes = ref ? await images.load(ref) : null;
    if (!ref || !bytes) return words('[the image is no longer there]');
    return {
      type: 'file',
      mediaType: ref.media_type,
      data: { type: 'data', data: bytes.toString('base64') },
    };
  }

  const shown: ModelMessage[] = [];
  for (const message of messages) {
    if (partsOf(message).length === 0 || message.role !== 'tool') {
      shown.push(message);
      continue;
    }
    const content: ToolPart[] = [];
    for (const part of message.content) {
      if (part.type !== 'tool-result' || part.output.type !== 'content') {
        content.push(part);
        continue;
      }
      const value: Shown[] = [];
      for (const piece of part.output.value) value.push(await show(piece));
      content.push({ ...part, output: { ...part.output, value } });
    }
    shown.push({ ...message, content });
  }
  return shown;
}

function partsOf(message: ModelMessage): Shown[] {
  if (message.role !== 'tool') return [];
  return message.content.flatMap((part) =>
    part.type === 'tool-result' && part.output.type === 'content' ? part.output.value : [],
  );
}

function idOf(part: Shown): string | null {
  if (part.type !== 'file' || part.data.type !== 'reference') return null;
  return part.data.reference[OURS] ?? null;
}

const words = (text: string): Shown => ({ type: 'text', text });
