import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { describe } from './table.ts';

/** Lists every process that runs, and the background ones that have ended lately. */
export async function listProcesses(_args: object, call: Call, daemon: Daemon): Promise<void> {
  await call.json({ processes: daemon.processes.all().map(describe) });
}
