import { EgressRefusal } from '../../src/protocol/egress.ts';

/** Why there is no connection, as HTTP tells it to the program that asked. */
export interface Refusal {
  status: number;
  /** Many programs print this and nothing else. */
  reason: string;
  headers: Record<string, string>;
  text: string;
}

const NO_WORKER = refusal(
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

/** What the worker said of a connection that it does not make; null where that is not to be read. */
export function readRefusal(why: string): EgressRefusal | null {
  try {
    return EgressRefusal.parse(JSON.parse(why));
  } catch {
    return null;
  }
}

/** The worker's refusal, or that there is no worker, in the words of HTTP/1. */
export function toHttp(given: EgressRefusal | null): Refusal {
  if (given === null) return NO_WORKER;
  const { status, error } = given;
  const rule = printable(given.rule);
  const reason = status === 403 ? 'Forbidden by the network policy' : 'Bad Gateway';
  const told = refusal(status, `${reason}: ${rule}`, `${error.message}\n${error.hint}\n`);
  return { ...told, headers: { ...told.headers, 'x-egress-rule': rule } };
}

function refusal(status: number, reason: string, text: string): Refusal {
  return {
    status: status >= 400 && status <= 599 ? status : 502,
    reason,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': `${Buffer.byteLength(text)}` },
    text,
  };
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);
