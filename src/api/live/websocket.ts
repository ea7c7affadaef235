import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { CodedError } from '../../protocol/errors.ts';

const MAX_MESSAGE_BYTES = 1024 * 1024;
/** What may wait for a slow client before what comes is held back. */
const HIGH_WATER_BYTES = 1024 * 1024;
/** A client that answers no ping for this long is gone. */
const PING_EVERY_MS = 20_000;

const server = new WebSocketServer({
  noServer: true,
  maxPayload: MAX_MESSAGE_BYTES,
  // Pictures are compressed already, and a context for each connection costs much memory.
  perMessageDeflate: false,
  handleProtocols: (protocols) => (protocols.has('binary') ? 'binary' : false),
});

/**
 * Makes a WebSocket of a request for one. It ends by itself when the client is gone.
 * @param stream - what was opened for it; destroyed where there will be no WebSocket.
 * @throws CodedError CONNECTION_LOST when the client has gone, or had asked wrongly and been told so.
 */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  stream: Duplex,
): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const gone = (): void => {
      stream.destroy();
      reject(new CodedError('CONNECTION_LOST', 'The client has gone.'));
    };
    if (socket.destroyed) return gone();
    socket.once('close', gone);
    server.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off('close', gone);
      keepAlive(webSocket);
      resolve(webSocket);
    });
  });
}

function keepAlive(webSocket: WebSocket): void {
  let answered = true;
  webSocket.on('pong', () => {
    answered = true;
  });
  webSocket.on('error', () => {});
  const timer = setInterval(() => {
    if (!answered) return webSocket.terminate();
    answered = false;
    webSocket.ping();
  }, PING_EVERY_MS);
  timer.unref();
  webSocket.once('close', () => clearInterval(timer));
}

export interface JoinOptions {
  /** Told of each text message. */
  onText: (text: string) => void;
  /** What goes on of the client's bytes; what it throws closes the connection as a breach of the protocol. */
  pass?: (bytes: Buffer) => Buffer;
}

/**
 * Carries a stream over a WebSocket as binary messages, each side at the pace of the other. The end of one is the end
 * of the other; a stream that fails closes with 1011.
 */
export function joinWebSocket(
  webSocket: WebSocket,
  stream: Duplex,
  { onText, pass = (bytes) => bytes }: JoinOptions,
): void {
  let waiting = 0;
  webSocket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) return onText(data.toString());
    if (stream.destroyed || send(data)) return;
    webSocket.pause();
    stream.once('drain', () => webSocket.resume());
  });
  function send(data: Buffer): boolean {
    try {
      const bytes = pass(data);
      return bytes.length === 0 || stream.write(bytes);
    } catch (error) {
      webSocket.close(1002, error instanceof Error ? error.message.slice(0, 100) : '');
      stream.destroy();
      return true;
    }
  }
  webSocket.once('close', () => stream.destroy());
  stream.on('data', (bytes: Buffer) => {
    waiting += bytes.length;
    if (waiting > HIGH_WATER_BYTES) stream.pause();
    webSocket.send(bytes, () => {
      waiting -= bytes.length;
      if (waiting < HIGH_WATER_BYTES / 2) stream.resume();
    });
  });
  stream.once('end', () => webSocket.close(1000));
  stream.on('error', () => webSocket.close(1011, 'The connection to the sandbox was cut'));
  stream.once('close', () => webSocket.close(1001));
}
