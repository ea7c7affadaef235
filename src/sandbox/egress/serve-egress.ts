import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { EgressRefusal } from '../../protocol/egress.ts';
import { CodedError, toErrorInfo } from '../../protocol/errors.ts';
import { Mux } from '../../protocol/mux/mux.ts';
import type { MuxStream } from '../../protocol/mux/stream.ts';
import { wordsOf } from '../../protocol/words-of.ts';
import type { AddressRange } from './addresses.ts';
import { connectTo } from './connect.ts';
import { parseTarget } from './hosts.ts';
import { type Lookup, limitLookups, resolveHost } from './lookup.ts';
import { decide, type EgressPolicy } from './policy.ts';

/** Connections of one sandbox at a time; more are told to wait. */
const MAX_CONNECTIONS = 512;
const IDLE_MS = 15 * 60_000;
const MAX_SHOWN = 300;

/** What became of one attempt to connect out of a sandbox. */
export interface EgressConnection {
  host: string;
  port: number;
  /** What it was connected to, or what was refused; null where it did not come to that. */
  address: string | null;
  allowed: boolean;
  rule: string;
}

export interface EgressOptions {
  policy: EgressPolicy;
  privateAllow: readonly AddressRange[];
  onConnection: (connection: EgressConnection) => void;
  log: Logger;
  lookup?: Lookup;
  /** Milliseconds without a byte after which a connection is cut. */
  idleMs?: number;
}

export interface EgressServer {
  /** Cuts every connection and the channel. */
  close(): void;
}

/**
 * The worker's end of a sandbox's way out: each stream that sandboxd opens, for `host:port`, becomes a connection that
 * the policy allows and this machine makes. The stream is accepted once it is there, or reset with an EgressRefusal.
 */
export function serveEgress(duplex: Duplex, options: EgressOptions): EgressServer {
  const { log, idleMs = IDLE_MS } = options;
  const lookup = limitLookups(options.lookup ?? resolveHost);
  let connections = 0;
  const session = new Mux(duplex, {
    maxStreams: 2 * MAX_CONNECTIONS,
    accept: (stream, authority) => {
      connections += 1;
      stream.once('close', () => {
        connections -= 1;
      });
      void serve(stream, authority).catch((error: unknown) => refuse(stream, 'internal', error));
    },
  });
  session.once('close', (cause) => {
    if (cause) log.debug({ err: cause }, 'the egress channel broke');
  });

  async function serve(stream: MuxStream, authority: string): Promise<void> {
    const target = parseTarget(authority);
    if (!target) {
      const found = JSON.stringify(authority.slice(0, MAX_SHOWN));
      throw new CodedError('INVALID_ARGUMENT', `Expected host:port; found ${found}.`);
    }
    if (connections > MAX_CONNECTIONS) {
      const message = `This sandbox has ${MAX_CONNECTIONS} connections open, the most there may be.`;
      const hint = 'Close some, or wait until they end.';
      return refuse(stream, 'connections', new CodedError('EGRESS_FAILED', message, { hint }), 503);
    }
    const shown = authority.slice(0, MAX_SHOWN);
    const gone = new AbortController();
    stream.once('close', () => gone.abort());
    const verdict = await decide(options.policy, options.privateAllow, lookup, target);
    const { rule } = verdict;
    if (!verdict.allowed) {
      options.onConnection({ ...target, address: verdict.address, allowed: false, rule });
      const message = `Connecting to ${shown} is not allowed: ${rule}.`;
      return refuse(stream, rule, new CodedError('EGRESS_DENIED', message));
    }
    try {
      if (verdict.unresolved !== null) throw new Error(verdict.unresolved);
      const socket = await connectTo(verdict.addresses, target.port, gone.signal);
      options.onConnection({ ...target, address: socket.remoteAddress ?? null, allowed: true, rule });
      join(stream, socket, idleMs);
    } catch (error) {
      if (gone.signal.aborted) return;
      options.onConnection({ ...target, address: null, allowed: true, rule });
      refuse(
        stream,
        rule,
        new CodedError('EGRESS_FAILED', `${shown} could not be reached: ${describe(error)}.`),
      );
    }
  }

  return { close: () => session.destroy() };
}

function refuse(stream: MuxStream, rule: string, error: unknown, status?: number): void {
  const coded = error instanceof CodedError ? error : new CodedError('INTERNAL', 'The egress tunnel failed.');
  const refusal: EgressRefusal = {
    status: status ?? coded.status,
    rule: rule.slice(0, MAX_SHOWN),
    error: toErrorInfo(coded),
  };
  stream.reset(JSON.stringify(refusal));
}

/** Several addresses fail with several errors. */
function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  return wordsOf(error);
}

/** Carries bytes both ways until both sides have ended; what breaks one breaks the other. */
function join(stream: MuxStream, socket: Socket, idleMs: number): void {
  const cut = (): void => {
    socket.destroy();
    stream.destroy();
  };
  socket.on('error', cut);
  socket.setTimeout(idleMs, cut);
  if (stream.destroyed) {
    cut();
    return;
  }
  stream.once('close', () => socket.destroy());
  stream.accept();
  stream.pipe(socket).pipe(stream);
}
