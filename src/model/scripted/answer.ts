import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Conversation } from './conversation.ts';
import { callArguments, type Protocol, type SseEvent, type Usage } from './protocol.ts';
import type { Fault, Turn } from './script.ts';

interface Answer {
  protocol: Protocol;
  conversation: Conversation;
  turn: Turn;
  fault: Fault | undefined;
  response: ServerResponse;
}

/** Answers a request with its turn, or with the fault that stands before it. */
export async function answer({ protocol, conversation, turn, fault, response }: Answer): Promise<void> {
  if (fault && 'status' in fault) {
    if (fault.retry_after !== undefined) response.setHeader('retry-after', fault.retry_after);
    sendError(protocol, response, fault.status, fault.message ?? `scripted ${fault.status}`);
    return;
  }
  if (fault && 'overflow' in fault) {
    const { status, message } = protocol.overflow(conversation.tokens, Math.floor(conversation.tokens / 2));
    sendError(protocol, response, status, message);
    return;
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  await pause(turn.delay_ms, gone.signal);
  const usage = usageOf(turn, conversation);
  if (!conversation.stream) {
    sendJson(response, 200, protocol.whole(turn, usage, conversation));
    return;
  }
  await sendStream(
    { protocol, response, turn, fault },
    protocol.stream(turn, usage, conversation),
    gone.signal,
  );
}

async function sendStream(
  { protocol, response, turn, fault }: Pick<Answer, 'protocol' | 'response' | 'turn' | 'fault'>,
  events: SseEvent[],
  gone: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.flushHeaders();
  const stop = stopOf(fault);
  for (const event of events.slice(0, stop?.after)) {
    await pause(turn.piece_delay_ms, gone);
    if (!response.write(encode(event)) && !gone.aborted)
      await Promise.race([once(response, 'drain'), once(gone, 'abort')]);
    if (gone.aborted) return;
  }
  if (fault && 'stream_error' in fault) response.end(encode(protocol.streamError(fault.stream_error)));
  else if (stop?.how === 'cut') response.destroy();
  else if (stop?.how !== 'stall') response.end();
}

interface Stop {
  how: 'cut' | 'end' | 'stall';
  after: number;
}

function stopOf(fault: Fault | undefined): Stop | null {
  if (!fault) return null;
  if ('cut_after' in fault) return { how: 'cut', after: fault.cut_after };
  if ('end_after' in fault) return { how: 'end', after: fault.end_after };
  if ('stall_after' in fault) return { how: 'stall', after: fault.stall_after };
  return 'stream_error' in fault ? { how: 'end', after: 2 } : null;
}

const encode = ({ event, data }: SseEvent): string =>
  `${event ? `event: ${event}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

function usageOf(turn: Turn, conversation: Conversation): Usage {
  const said =
    (turn.text ?? '').length + (turn.calls ?? []).reduce((sum, call) => sum + callArguments(call).length, 0);
  return {
    input: turn.usage?.input ?? conversation.tokens,
    cached: turn.usage?.cached ?? 0,
    output: turn.usage?.output ?? Math.ceil(said / 4) + 1,
  };
}

async function pause(ms: number | undefined, gone: AbortSignal): Promise<void> {
  if (ms) await sleep(ms, undefined, { signal: gone }).catch(() => undefined);
}

export function sendError(
  protocol: Protocol,
  response: ServerResponse,
  status: number,
  message: string,
): void {
  sendJson(response, status, protocol.error(status, message));
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
