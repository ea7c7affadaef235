import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { CodedError } from '../../src/protocol/errors.ts';
import type { Daemon } from '../daemon.ts';
import { Call } from './call.ts';
import { ROUTES } from './routes.ts';

const STREAM_WINDOW = 1024 * 1024;
const SESSION_WINDOW = 16 * 1024 * 1024;
const MAX_CALLS = 10_000;
/** Megabytes that one connection may make sandboxd hold; each call holds far less, see call.ts. */
const MAX_SESSION_MB = 128;

/** The server of the calls: a connection carries any number of them. */
export function serveCalls(daemon: Daemon): Http2Server {
  const server = createServer({
    settings: { initialWindowSize: STREAM_WINDOW, maxConcurrentStreams: MAX_CALLS, enablePush: false },
    maxSessionMemory: MAX_SESSION_MB,
  });
  server.on('session', (session: ServerHttp2Session) => {
    session.setLocalWindowSize(SESSION_WINDOW);
    session.on('error', () => {});
  });
  // A peer that breaks the protocol loses its connection, no more.
  server.on('sessionError', () => {});
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    void answer(new Call(stream), String(headers[':path']), daemon);
  });
  return server;
}

async function answer(call: Call, path: string, daemon: Daemon): Promise<void> {
  try {
    const route = ROUTES.get(path);
    if (!route) throw new CodedError('NOT_FOUND', `This sandboxd has no call ${path.slice(0, 200)}.`);
    await route(await call.arguments(), call, daemon);
    call.end();
  } catch (error) {
    call.end(error);
  }
}
