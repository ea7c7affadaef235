import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { TerminalName, TerminalSize } from '../../protocol/terminal.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { clientEnv, findLive } from '../live/live-sandbox.ts';
import { signalOfSocket } from '../live/socket-signal.ts';
import { acceptWebSocket, joinWebSocket } from '../live/websocket.ts';
import type { Api } from '../options.ts';
import { wholeNumberOr } from '../schemas.ts';
import { checked } from '../validate.ts';

const OPEN_MS = 30_000;
/** A client of ours does not come back after this one: what it sent is wrong. */
const BAD_MESSAGE = 4_000;

/** What a client may ask for when it opens a terminal. */
export const TerminalQuery = z.object({
  name: TerminalName.default('main').describe('Which terminal: made when there is none of that name.'),
  rows: wholeNumberOr(24, 1, 1_000).describe('Height of the screen.'),
  columns: wholeNumberOr(80, 1, 1_000).describe('Width of the screen.'),
  ticket: z.string().max(1_000).optional().describe('What POST /tickets gave, in place of an API key.'),
});

const ClientMessage = z.object({ type: z.literal('resize'), ...TerminalSize.shape });

/**
 * Opens a terminal of a job's live sandbox over a WebSocket: binary messages are what is typed and what it shows,
 * text messages are JSON: `resize` from the client; `opened` first and `ended` last from here.
 */
export async function serveTerminal(
  api: Api,
  id: string,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const query = Object.fromEntries(new URL(request.url ?? '', 'http://server').searchParams);
  const { name, rows, columns } = checked(TerminalQuery, query, 'query');
  const { job, sandbox } = await findLive(api, id, signalOfSocket(socket));
  const env = await clientEnv(api, job);
  const signal = AbortSignal.timeout(OPEN_MS);
  const terminal = await sandbox.terminals.open({ name, rows, columns, env }, { signal });
  terminal.stream.on('error', () => {});
  const webSocket = await acceptWebSocket(request, socket, head, terminal.stream);
  webSocket.send(JSON.stringify({ type: 'opened', name: terminal.name, joined: terminal.joined }));
  void terminal.ended.then((ended) => {
    if (!ended) return;
    const { exit_code, signal: by } = ended;
    webSocket.send(JSON.stringify({ type: 'ended', exit_code, signal: by }), () => {});
  });
  joinWebSocket(webSocket, terminal.stream, {
    onText: (text) => hear(sandbox, name, webSocket, text),
  });
}

function hear(sandbox: Sandbox, name: string, webSocket: WebSocket, text: string): void {
  const message = ClientMessage.safeParse(parseJson(text));
  if (!message.success) {
    webSocket.close(BAD_MESSAGE, 'Expected {"type":"resize","rows":R,"columns":C}');
    return;
  }
  const { rows, columns } = message.data;
  // It may have ended a moment ago.
  sandbox.terminals.resize(name, { rows, columns }).catch(() => {});
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
