import { PROTOCOL_VERSION } from '../src/protocol/sandboxd.ts';
import type { Daemon } from './daemon.ts';
import type { Call } from './serve/call.ts';

/** Set where sandboxd is built. */
const VERSION = process.env.SANDBOXD_VERSION ?? 'source';

/** Says who answers. */
export async function hello(_args: object, call: Call, daemon: Daemon): Promise<void> {
  await call.json({
    protocol: PROTOCOL_VERSION,
    version: VERSION,
    node: process.version,
    uptime_ms: process.uptime() * 1_000,
    starts: daemon.settings.starts,
    rss_bytes: process.memoryUsage.rss(),
  });
}
