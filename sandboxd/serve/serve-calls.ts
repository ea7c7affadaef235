import { createServer, type Server } from 'node:net';
import { CodedError } from '../../src/protocol/errors.ts';
import { Mux } from '../../src/protocol/mux/mux.ts';
import type { Daemon } from '../daemon.ts';
import { Call } from './call.ts';
import { ROUTES } from './routes.ts';

/** The server of the calls: a connection carries any number of them. */
export function serveCalls(daemon: Daemon): Server {
  return createServer((socket) => {
    new Mux(socket, { accept: (stream, path) => void answer(new Call(stream), path, daemon) });
  });
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
