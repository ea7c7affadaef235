import type { z } from 'zod';
import type { TerminalOpen } from '../../src/protocol/terminal.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import type { Terminal } from './terminal.ts';

/** Shows the caller a terminal and types what it sends, until the program ends or the caller goes. */
export async function openTerminal(
  args: z.infer<typeof TerminalOpen>,
  call: Call,
  daemon: Daemon,
): Promise<void> {
  const { terminal, joined } = await daemon.terminals.open(args);
  await call.json({ event: 'opened', name: terminal.name, joined });
  const leave = terminal.join(call);
  try {
    const gone = new Promise<never>((_resolve, reject) => {
      call.signal.addEventListener('abort', () => reject(call.signal.reason), { once: true });
    });
    if (joined) await terminal.resize({ rows: args.rows, columns: args.columns });
    typeAll(call, terminal).catch(() => {});
    const { exit_code, signal } = await Promise.race([terminal.ended, gone]);
    await call.json({ event: 'ended', exit_code, signal });
  } finally {
    leave();
  }
}

async function typeAll(call: Call, terminal: Terminal): Promise<void> {
  for await (const bytes of call.input()) await terminal.type(bytes);
}
