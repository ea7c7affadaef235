import type { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import { FRAME, type Frame } from '../../protocol/frames.ts';

/** A message of a sandbox, which may hold anything. @throws CodedError CONNECTION_LOST when it is not as agreed. */
export function parseMessage<T extends z.ZodType>(schema: T, frame: Frame): z.infer<T> {
  try {
    return schema.parse(JSON.parse(frame.payload.toString()));
  } catch (cause) {
    throw unexpected(cause);
  }
}

/** The one message that a call answers with. */
export async function onlyMessage<T extends z.ZodType>(
  schema: T,
  frames: AsyncIterable<Frame>,
): Promise<z.infer<T>> {
  let found: { message: z.infer<T> } | undefined;
  for await (const frame of frames) {
    if (frame.kind !== FRAME.json || found) throw unexpected();
    found = { message: parseMessage(schema, frame) };
  }
  if (!found) throw unexpected();
  return found.message;
}

export const unexpected = (cause?: unknown): CodedError =>
  new CodedError('CONNECTION_LOST', 'The sandbox answered with something that was not agreed.', { cause });
