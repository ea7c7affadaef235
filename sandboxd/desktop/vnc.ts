import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { tunnel } from '../serve/tunnel.ts';

/** Carries a connection to the desktop's VNC server. */
export async function tunnelVnc(_args: object, call: Call, { desktop }: Daemon): Promise<void> {
  await tunnel(call, await desktop.vnc());
}
