import { FRAME } from '../../protocol/frames.ts';
import { ArchiveMessage, CALLS } from '../../protocol/sandboxd.ts';
import type { CallOptions } from '../sandbox.ts';
import { parseFrame, unexpected } from './answer.ts';
import { callFrames } from './call.ts';
import type { Link } from './link.ts';

/** Streams the entries of a folder and the bytes of its files. */
export async function* archive(
  link: Link,
  args: { root: string; include: string[]; exclude: string[] },
  { signal }: CallOptions = {},
): AsyncGenerator<ArchiveMessage | Buffer> {
  let over = false;
  for await (const frame of callFrames(await link.session(signal), { path: CALLS.archive, args, signal })) {
    if (over) throw unexpected('more after the end of the archive');
    if (frame.kind !== FRAME.json) {
      yield frame.payload;
      continue;
    }
    const message = parseFrame(ArchiveMessage, frame);
    over = message.event === 'archive_end';
    yield message;
  }
  if (!over) throw unexpected('no end of the archive');
}
