import type { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import { FRAME, type Frame } from '../../protocol/frames.ts';
import type { Mux } from '../../protocol/mux/mux.ts';
import { type CallRequest, callFrames } from './call.ts';

/** The JSON of a frame, checked: what a sandbox says is not trusted. @throws CodedError CONNECTION_LOST */
export function parseFrame<Schema extends z.ZodType>(schema: Schema, frame: Frame): z.infer<Schema> {
  const parsed = schema.safeParse(toJson(frame));
  if (parsed.success) return parsed.data;
  throw unexpected(
    parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
  );
}

/** Calls for one message. Throws as {@link callFrames} does. */
export async function callForOne<Schema extends z.ZodType>(
  session: Mux,
  request: CallRequest,
  schema: Schema,
): Promise<z.infer<Schema>> {
  let answer: Frame | null = null;
  for await (const frame of callFrames(session, request)) {
    if (answer) throw unexpected('a second message');
    if (frame.kind !== FRAME.json) throw unexpected('bytes');
    answer = frame;
  }
  if (!answer) throw unexpected('none');
  return parseFrame(schema, answer);
}

export function unexpected(found: string): CodedError {
  return new CodedError(
    'CONNECTION_LOST',
    `The sandbox gave an answer that is none; found ${found.slice(0, 500)}.`,
  );
}

function toJson(frame: Frame): unknown {
  if (frame.kind !== FRAME.json) throw unexpected('bytes in place of a message');
  try {
    return JSON.parse(frame.payload.toString());
  } catch {
    throw unexpected('broken JSON');
  }
}
