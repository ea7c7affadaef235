import type { Duplex } from 'node:stream';
import { TunnelMessage } from '../../protocol/tunnel.ts';
import type { CallOptions } from '../sandbox.ts';
import { parseFrame } from './answer.ts';
import { openCallStream } from './call-stream.ts';
import type { Link } from './link.ts';

/** Makes a call that connects to a program inside. @throws as {@link openCallStream} does. */
export async function openTunnel(
  link: Link,
  { path, args }: { path: string; args: object },
  { signal }: CallOptions = {},
): Promise<Duplex> {
  const { stream } = await openCallStream(await link.session(signal), {
    path,
    args,
    first: TunnelMessage,
    onMessage(frame, end) {
      if (parseFrame(TunnelMessage, frame).event === 'ended') end();
    },
    signal,
  });
  return stream;
}
