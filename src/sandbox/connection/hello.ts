import type { z } from 'zod';
import type { Mux } from '../../protocol/mux/mux.ts';
import { CALLS, HelloResult } from '../../protocol/sandboxd.ts';
import { callForOne } from './answer.ts';

/** Asks sandboxd who it is. */
export function hello(session: Mux, signal?: AbortSignal): Promise<z.infer<typeof HelloResult>> {
  return callForOne(session, { path: CALLS.hello, args: {}, signal }, HelloResult);
}
