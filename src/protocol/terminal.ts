import { z } from 'zod';

/** The calls about terminals: programs on a pseudo-terminal, by name. */
export const TERMINAL_CALLS = {
  open: '/v1/terminal/open',
  resize: '/v1/terminal/resize',
  close: '/v1/terminal/close',
  list: '/v1/terminal/list',
} as const;

export const TerminalName = z
  .string()
  .regex(/^[\w.-]{1,64}$/, 'expected a name of at most 64 letters, digits, ".", "_" and "-"');
const Side = z.int().min(1).max(1_000);
export const TerminalSize = z.object({ rows: Side, columns: Side });
export type TerminalSize = z.infer<typeof TerminalSize>;

/**
 * Opens a terminal, or joins the one of that name: answers `opened`, what it has shown lately, then what it shows;
 * request data frames are what is typed; last `ended`. A terminal outlives its callers for a while.
 */
export const TerminalOpen = TerminalSize.extend({
  name: TerminalName,
  /** What runs in a new one; default an interactive bash. */
  argv: z.array(z.string()).min(1).optional(),
  cwd: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
});
export const TerminalOpened = z.object({
  event: z.literal('opened'),
  name: TerminalName,
  /** Whether it was there already. */
  joined: z.boolean(),
});
export const TerminalEnded = z.object({
  event: z.literal('ended'),
  /** Null when a signal ended it. */
  exit_code: z.int().nullable(),
  signal: z.string().max(20).nullable(),
});
export type TerminalEnded = z.infer<typeof TerminalEnded>;

export const TerminalResize = TerminalSize.extend({ name: TerminalName });
export const TerminalClose = z.object({ name: TerminalName });
export const TerminalInfo = TerminalSize.extend({
  name: TerminalName,
  pid: z.int(),
  /** How many callers see it. */
  viewers: z.int(),
});
export type TerminalInfo = z.infer<typeof TerminalInfo>;
export const TerminalList = z.object({ terminals: z.array(TerminalInfo).max(1_000) });
