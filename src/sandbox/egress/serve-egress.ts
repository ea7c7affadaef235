import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { CodedError, toErrorInfo } from '../../protocol/errors.ts';
import { wordsOf } from '../../protocol/words-of.ts';
import type { AddressRange } from './addresses.ts';
import { connectTo } from './connect.ts';
import { parseTarget } from './hosts.ts';
import { type Lookup, limitLookups, resolveHost } from './lookup.ts';
import { decide, type EgressPolicy } from './policy.ts';

const MEBIBYTE = 1024 * 1024;
const STREAM_WINDOW = MEBIBYTE;
const SESSION_WINDOW = 16 * MEBIBYTE;
/** Connections of one sandbox at a time; more are told to wait. */
const MAX_CONNECTIONS = 512;
/** A program may drop its connections as fast as it likes; Node's default ends the whole channel at the 1,000th. */
const RESET_BURST = 20_000;
const RESETS_PER_SECOND = 1_000;
const IDLE_MS = 15 * 60_000;
/** How long a client that was refused may keep its stream open. */
const REFUSED_MS = 10_000;
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
 * The worker's end of a sandbox's way out: over the channel sandboxd is an HTTP/2 client, and each CONNECT stream
 * becomes a connection that the policy allows and this machine makes. 200 is the tunnel; 403 (denied), 422, 502 and
 * 503 carry an ErrorInfo as JSON, and the rule in `x-egress-rule`.
 */
export function serveEgress(duplex: Duplex, options: EgressOptions): EgressServer {
  const { log, idleMs = IDLE_MS } = options;
  const lookup = limitLookups(options.lookup ?? resolveHost);
  let connections = 0;

  // Only by the stream below it: a session that is destroyed while its stream ends throws out of Node's internals,
  // and one that waits to say goodbye to a peer that does not read waits for ever.
  const cut = () => void duplex.destroy();
  duplex.once('end', cut);
  const session: ServerHttp2Session = performServerHandshake(duplex, {
    settings: {
      initialWindowSize: STREAM_WINDOW,
      maxConcurrentStreams: 2 * MAX_CONNECTIONS,
      enablePush: false,
    },
    maxSessionMemory: 64,
    streamResetBurst: RESET_BURST,
    streamResetRate: RESETS_PER_SECOND,
  });
  session.setLocalWindowSize(SESSION_WINDOW);
  session.on('error', (error) => {
    log.debug({ err: error }, 'the egress channel broke');
    cut();
  });
  session.on('goaway', cut);
  session.once('close', cut);
  session.on('stream', (stream, headers) => {
    stream.on('error', (error) => log.trace({ err: error }, 'an egress stream broke'));
    connections += 1;
    stream.once('close', () => {
      connections -= 1;
    });
    void serve(stream, headers).catch((error: unknown) => refuse(stream, 'internal', error));
  });

  async function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const authority = String(headers[':authority'] ?? '');
    const target = headers[':method'] === 'CONNECT' ? parseTarget(authority) : null;
    if (!target) {
      const found = JSON.stringify(authority.slice(0, MAX_SHOWN));
      throw new CodedError('INVALID_ARGUMENT', `Expected CONNECT host:port; found ${found}.`);
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

  return { close: cut };
}

function refuse(stream: ServerHttp2Stream, rule: string, error: unknown, status?: number): void {
  if (stream.destroyed || stream.headersSent) return void stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  const coded = error instanceof CodedError ? error : new CodedError('INTERNAL', 'The egress tunnel failed.');
  stream.respond({
    ':status': status ?? coded.status,
    'content-type': 'application/json',
    'x-egress-rule': rule.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_SHOWN),
  });
  stream.end(JSON.stringify(toErrorInfo(coded)));
  stream.resume();
  stream.setTimeout(REFUSED_MS, () => stream.close());
}

/** Several addresses fail with several errors. */
function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  return wordsOf(error);
}

/** Carries bytes both ways until both sides have ended; what breaks one breaks the other. */
function join(stream: ServerHttp2Stream, socket: Socket, idleMs: number): void {
  const cut = (): void => {
    socket.destroy();
    if (!stream.closed) stream.close(constants.NGHTTP2_CONNECT_ERROR);
  };
  socket.on('error', cut);
  socket.setTimeout(idleMs, cut);
  if (stream.destroyed) {
    cut();
    return;
  }
  stream.once('close', () => socket.destroy());
  stream.respond({ ':status': 200 });
  stream.pipe(socket).pipe(stream);
}
