import type { z } from 'zod';
import type { DesktopStart } from '../../src/protocol/desktop.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';

/** Starts the desktop, or only notes its size; of one that runs, tells. */
export async function startDesktop(
  { size, later }: z.infer<typeof DesktopStart>,
  call: Call,
  { desktop }: Daemon,
): Promise<void> {
  if (size) desktop.setSize(size);
  if (!later) await desktop.start();
  await call.json(desktop.info());
}
