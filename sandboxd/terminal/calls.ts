import type { z } from 'zod';
import type { TerminalClose, TerminalResize } from '../../src/protocol/terminal.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';

/** Tells the program of a terminal the size of its screen. */
export async function resizeTerminal(
  { name, rows, columns }: z.infer<typeof TerminalResize>,
  call: Call,
  { terminals }: Daemon,
): Promise<void> {
  await (await terminals.get(name)).resize({ rows, columns });
  await call.json({});
}

/** Ends a terminal with all that runs in it. */
export async function closeTerminal(
  { name }: z.infer<typeof TerminalClose>,
  call: Call,
  { terminals }: Daemon,
): Promise<void> {
  await (await terminals.get(name)).close();
  await call.json({});
}

/** Says which terminals there are. */
export async function listTerminals(_args: object, call: Call, { terminals }: Daemon): Promise<void> {
  await call.json({ terminals: (await terminals.all()).map((terminal) => terminal.info()) });
}
