import { WATCH_CALL, WatchMessage } from '../../protocol/watch.ts';
import type { Sandbox } from '../sandbox.ts';
import { parseFrame } from './answer.ts';
import { callFrames } from './call.ts';
import type { Link } from './link.ts';

/** Tells what changes below a folder, until the caller stops taking it. */
export async function* watch(
  link: Link,
  path: string,
  { signal, recursive, exclude }: Parameters<Sandbox['watch']>[1] = {},
): AsyncGenerator<WatchMessage> {
  const args = { path, recursive, exclude };
  const frames = callFrames(await link.session(signal), { path: WATCH_CALL, args, signal });
  for await (const frame of frames) yield parseFrame(WatchMessage, frame);
}
