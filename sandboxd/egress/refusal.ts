import { ErrorInfo } from '../../src/protocol/errors.ts';
import type { Tunnel } from './link.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** Why there is no connection, as HTTP tells it to the program that asked. */
export interface Refusal {
  status: number;
  /** Many programs print this and nothing else. */
  reason: string;
  headers: Record<string, string>;
  text: string;
}

export const NO_WORKER = refusal(
  503,
  'No worker attached',
  'This sandbox has no way out at the moment: nothing outside is attached to it.\nTry again shortly.\n',
);

export function badRequest(found: string): Refusal {
  const text = `Expected an HTTP proxy's request, CONNECT host:port or METHOD http://host/; found ${found}.\n`;
  return refusal(400, 'Bad Request', text);
}

export const CUT = refusal(
  502,
  'Bad Gateway',
  'The other side ended the connection before it had answered.\n',
);

/** The worker's refusal in the words of HTTP/1. */
export async function readRefusal({ status, headers, stream }: Tunnel): Promise<Refusal> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of stream) {
      bytes += piece.length;
      if (bytes > MAX_BODY_BYTES) break;
      pieces.push(piece);
    }
  } catch {
    // What came is what there is.
  }
  stream.close();
  const rule = printable(String(headers['x-egress-rule'] ?? ''));
  const info = parse(Buffer.concat(pieces).toString());
  const text = info ? `${info.message}\n${info.hint}\n` : `The connection was refused (${status}).\n`;
  const reason = status === 403 ? 'Forbidden by the network policy' : 'Bad Gateway';
  const given = refusal(status, rule ? `${reason}: ${rule}` : reason, text);
  return rule ? { ...given, headers: { ...given.headers, 'x-egress-rule': rule } } : given;
}

function refusal(status: number, reason: string, text: string): Refusal {
  return {
    status: status >= 400 && status <= 599 ? status : 502,
    reason,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': `${Buffer.byteLength(text)}` },
    text,
  };
}

function parse(json: string): ErrorInfo | null {
  try {
    return ErrorInfo.parse(JSON.parse(json));
  } catch {
    return null;
  }
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);
