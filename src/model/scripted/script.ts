import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Conversation } from './conversation.ts';

/** Something that goes wrong instead of a turn's answer. One entry stands for one request. */
export const Fault = z.union([
  z.strictObject({
    /** An HTTP error in the provider's own form. */
    status: z.int().min(400).max(599),
    message: z.string().optional(),
    /** Seconds, as the Retry-After header. */
    retry_after: z.number().min(0).optional(),
  }),
  /** The provider's own answer to a request that is longer than its window. */
  z.strictObject({ overflow: z.literal(true) }),
  /** The stream starts and the connection is cut after so many pieces. */
  z.strictObject({ cut_after: z.int().min(0) }),
  /** The stream ends in good order after so many pieces, without saying why. */
  z.strictObject({ end_after: z.int().min(0) }),
  /** The stream falls silent after so many pieces; the connection stays open. */
  z.strictObject({ stall_after: z.int().min(0) }),
  /** The stream starts, then carries an error. */
  z.strictObject({ stream_error: z.string() }),
]);
export type Fault = z.infer<typeof Fault>;

export const ScriptedCall = z
  .strictObject({
    name: z.string(),
    input: z.record(z.string(), z.unknown()).optional(),
    /** The arguments as raw text instead, to send what is no JSON. */
    arguments: z.string().optional(),
    /** Left out: made from the turn and the call's place in it. */
    id: z.string().optional(),
  })
  .refine((call) => call.input === undefined || call.arguments === undefined, {
    error: 'expected input or arguments, not both',
  });
export type ScriptedCall = z.infer<typeof ScriptedCall>;

/**
 * What the model says when its turn comes. Neither text nor calls makes an empty reply, which leaves no trace in a
 * conversation: the same turn comes again.
 */
export const Turn = z.strictObject({
  text: z.string().optional(),
  calls: z.array(ScriptedCall).optional(),
  /** Answered to the first requests of this turn, one each, before it is given. */
  faults: z.array(Fault).optional(),
  finish: z.enum(['stop', 'length', 'content_filter']).optional(),
  usage: z
    .strictObject({ input: z.int().optional(), cached: z.int().optional(), output: z.int().optional() })
    .optional(),
  /** Before the first piece. */
  delay_ms: z.int().min(0).optional(),
  /** Between pieces. */
  piece_delay_ms: z.int().min(0).optional(),
});
export type Turn = z.infer<typeof Turn>;

/** Turns for the conversations whose first user message contains `when`; without `when`, for all others. */
export const Track = z.strictObject({
  when: z.string().optional(),
  turns: z.array(Turn).min(1),
  /** Start again from this turn (1 is the first) when all have been given; left out, more requests are refused. */
  repeat_from: z.int().min(1).optional(),
});
export type Track = z.infer<typeof Track>;

export const ScriptFile = z.strictObject({
  description: z.string().optional(),
  /** Requests of more tokens (four characters each) are refused as too long. */
  context_window: z.int().positive().optional(),
  tracks: z.array(Track).min(1),
});
export type ScriptFile = z.infer<typeof ScriptFile>;

/** A script is data, or a function that answers from the conversation alone. */
export type Script = ScriptFile | ((conversation: Conversation) => Turn | Promise<Turn>);

/**
 * A script from a .json file, or the default export of a .mjs, .js or .ts file.
 * @throws with the place and the fault when it is not a script.
 */
export async function loadScript(path: string): Promise<Script> {
  if (path.endsWith('.json')) return parseScript(JSON.parse(await readFile(path, 'utf8')), path);
  const module = (await import(pathToFileURL(path).href)) as { default?: unknown };
  return typeof module.default === 'function'
    ? (module.default as (conversation: Conversation) => Turn)
    : parseScript(module.default, path);
}

function parseScript(value: unknown, path: string): ScriptFile {
  const parsed = ScriptFile.safeParse(value);
  if (!parsed.success) throw new Error(`${path} is not a script:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
