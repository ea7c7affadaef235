import { z } from 'zod';
import { newId } from '../../../src/protocol/ids.ts';

/**
 * Messages of Jupyter's protocol 5.3 (https://jupyter-client.readthedocs.io/en/stable/messaging.html). Unsigned: the
 * sockets lie in a folder that is the sandbox user's alone.
 */
const DELIMITER = Buffer.from('<IDS|MSG>');
const EMPTY = Buffer.from('{}');

const Header = z.object({ msg_type: z.string() });
const Parent = z.object({ msg_id: z.string().optional() });

export interface JupyterMessage {
  type: string;
  /** The request that it belongs to. */
  parent: string | undefined;
  content: unknown;
}

/** A request as its frames; gives the id by which its replies know it. */
export function request(session: string, type: string, content: object): { id: string; frames: Buffer[] } {
  const id = newId();
  const header = {
    msg_id: id,
    session,
    username: 'agent',
    date: new Date().toISOString(),
    msg_type: type,
    version: '5.3',
  };
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  return { id, frames: [DELIMITER, Buffer.alloc(0), json(header), EMPTY, EMPTY, json(content)] };
}

/** Null for what is no message, or was too long to be kept. */
export function parseMessage(frames: readonly Buffer[]): JupyterMessage | null {
  const start = frames.findIndex((frame) => frame.equals(DELIMITER)) + 1;
  const [, header, parent, , content] = frames.slice(start);
  if (start === 0 || !header || !parent || !content) return null;
  try {
    return {
      type: Header.parse(JSON.parse(header.toString())).msg_type,
      parent: Parent.parse(JSON.parse(parent.toString())).msg_id,
      content: content.length > 0 ? JSON.parse(content.toString()) : {},
    };
  } catch {
    return null;
  }
}

/** What is published with its kind in its topic, such as `kernel.ID.stream.stdout`, need not be read to be dropped. */
export const isStream = (frames: readonly Buffer[]): boolean =>
  frames[0]?.toString('latin1', 0, 200).includes('stream') === true && !frames[0].equals(DELIMITER);

const MimeBundle = z.record(z.string(), z.unknown());
export const StreamContent = z.object({ name: z.enum(['stdout', 'stderr']), text: z.string() });
export const DisplayContent = z.object({ data: MimeBundle });
export const StatusContent = z.object({ execution_state: z.string() });
export const ReplyContent = z.object({
  status: z.string(),
  ename: z.string().default('Error'),
  evalue: z.string().default(''),
  traceback: z.array(z.string()).default([]),
});

const TEXT = /^text\/|^application\/(javascript|xml)$|\+xml$/;

/** A bundle with every member as text: JSON as its source, images in base64 as they came. */
export function asTexts(bundle: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(bundle).map(([type, value]) => [
      type,
      typeof value === 'string' && (TEXT.test(type) || !/json$/.test(type)) ? value : JSON.stringify(value),
    ]),
  );
}
