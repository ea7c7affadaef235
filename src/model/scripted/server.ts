import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { wordsOf } from '../../protocol/words-of.ts';
import { answer, sendError } from './answer.ts';
import { anthropic } from './anthropic.ts';
import { chooseTurn } from './choose-turn.ts';
import { BadRequest, type Conversation } from './conversation.ts';
import { openai } from './openai.ts';
import type { Protocol } from './protocol.ts';
import type { Fault, Script, Turn } from './script.ts';

export interface ScriptedModelServer {
  /** `http://127.0.0.1:PORT`; OPENAI_BASE_URL and ANTHROPIC_BASE_URL are this with `/v1`. */
  url: string;
  /** The newest well-formed requests, oldest first, as many as `keepRequests`. */
  requests: Conversation[];
  close(): Promise<void>;
}

const ROUTES: Record<string, Protocol> = {
  '/v1/chat/completions': openai,
  '/v1/messages': anthropic,
};
const MAX_BODY_BYTES = 256 * 1024 * 1024;
const MAX_REMEMBERED_FAULTS = 10_000;

/**
 * Starts a model server that answers from a script over the real wire protocols, and refuses what a strict provider
 * would refuse. Which turn is due follows from the request alone, so any number of jobs may talk to it at once;
 * only how many faults of a turn have been given is remembered.
 * @param options.port 0 takes a free one. @param options.apiKey when set, other keys get 401.
 */
export async function startScriptedModelServer(options: {
  script: Script;
  port?: number;
  apiKey?: string;
  keepRequests?: number;
}): Promise<ScriptedModelServer> {
  const requests: Conversation[] = [];
  const faultsGiven = new Map<string, number>();

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const protocol = ROUTES[new URL(request.url ?? '/', 'http://localhost').pathname];
    if (!protocol || request.method !== 'POST') {
      sendError(openai, response, 404, `expected POST to ${Object.keys(ROUTES).join(' or ')}`);
      return;
    }
    if (options.apiKey !== undefined && keyOf(request) !== options.apiKey) {
      sendError(protocol, response, 401, `invalid key: ${keyOf(request)}`);
      return;
    }
    const body = await readBody(request);
    const conversation = protocol.read(body.json);
    requests.push(conversation);
    if (requests.length > (options.keepRequests ?? 1_000)) requests.shift();

    const window = typeof options.script === 'function' ? undefined : options.script.context_window;
    if (window !== undefined && conversation.tokens > window) {
      const { status, message } = protocol.overflow(conversation.tokens, window);
      sendError(protocol, response, status, message);
      return;
    }
    const turn = await chooseTurn(options.script, conversation);
    await answer({ protocol, conversation, turn, fault: nextFault(turn, body.hash), response });
  }

  function nextFault(turn: Turn, request: string): Fault | undefined {
    if (!turn.faults?.length) return undefined;
    const given = faultsGiven.get(request) ?? 0;
    const fault = turn.faults[given];
    faultsGiven.delete(request);
    if (!fault) return undefined;
    faultsGiven.set(request, given + 1);
    const [oldest] = faultsGiven.keys();
    if (faultsGiven.size > MAX_REMEMBERED_FAULTS && oldest !== undefined) faultsGiven.delete(oldest);
    return fault;
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      const protocol = ROUTES[request.url ?? ''] ?? openai;
      const message = wordsOf(error);
      if (response.headersSent) response.destroy();
      else sendError(protocol, response, error instanceof BadRequest ? 400 : 500, message);
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<{ json: unknown; hash: string }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new BadRequest(`the body is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const hash = createHash('sha256').update(body).digest('hex');
  try {
    return { json: JSON.parse(body.toString()) as unknown, hash };
  } catch {
    throw new BadRequest('the body is not valid JSON');
  }
}

function keyOf(request: IncomingMessage): string {
  const bearer = request.headers.authorization?.replace(/^Bearer /, '');
  return bearer ?? String(request.headers['x-api-key'] ?? '');
}
