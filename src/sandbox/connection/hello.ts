import type { ClientHttp2Session } from 'node:http2';
import type { z } from 'zod';
import { CALLS, HelloResult } from '../../protocol/sandboxd.ts';
import { call } from './call.ts';
import { onlyMessage } from './messages.ts';

/** Who answers there. @throws CodedError CONNECTION_LOST */
export const hello = (
  session: ClientHttp2Session,
  signal?: AbortSignal,
): Promise<z.infer<typeof HelloResult>> =>
  onlyMessage(HelloResult, call(session, { path: CALLS.hello, args: {}, signal }));
