import type { ClientHttp2Session } from 'node:http2';
import type { z } from 'zod';
import { CALLS, HelloResult } from '../../protocol/sandboxd.ts';
import { callForOne } from './answer.ts';

/** Asks sandboxd who it is. */
export function hello(
  session: ClientHttp2Session,
  signal?: AbortSignal,
): Promise<z.infer<typeof HelloResult>> {
  return callForOne(session, { path: CALLS.hello, args: {}, signal }, HelloResult);
}
