import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { AddressRange } from './addresses.ts';
import type { EgressPolicy } from './policy.ts';
import { type EgressConnection, type EgressServer, serveEgress } from './serve-egress.ts';

/** A sandbox's way out over the life of its connection: it outlives a channel that is cut and made again. */
export interface EgressGate {
  /** Serves a channel to the sandbox, in place of the one before. */
  serve(channel: Duplex): void;
  /** What holds from now on; until then everything is denied. Connections that are open stay open. */
  assign(policy: EgressPolicy, onConnection: (connection: EgressConnection) => void): void;
  /** Cuts every connection, and refuses to serve again. */
  close(): void;
}

export function createGate(options: { privateAllow: readonly AddressRange[]; log: Logger }): EgressGate {
  let policy: EgressPolicy = { mode: 'none', allow: [] };
  let report: (connection: EgressConnection) => void = () => {};
  let server: EgressServer | undefined;
  let closed = false;

  return {
    serve(channel) {
      server?.close();
      server = undefined;
      if (closed) return void channel.destroy();
      server = serveEgress(channel, {
        ...options,
        get policy() {
          return policy;
        },
        onConnection: (connection) => report(connection),
      });
    },
    assign(next, onConnection) {
      policy = next;
      report = onConnection;
    },
    close() {
      closed = true;
      server?.close();
    },
  };
}
