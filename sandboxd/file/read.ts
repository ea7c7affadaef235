import { resolve } from 'node:path';
import type { z } from 'zod';
import { FRAME } from '../../src/protocol/frames.ts';
import type { FileRead } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { withErrno } from '../serve/errno.ts';
import { infoOf } from './info.ts';
import { openFile } from './open-file.ts';

const PIECE_BYTES = 256 * 1024;

/** Streams a regular file, or a part of it. It is read to where it ends then, whatever size it had at first. */
export async function readFile(args: z.infer<typeof FileRead>, call: Call, daemon: Daemon): Promise<void> {
  const path = resolve(daemon.workspace, args.path);
  await withErrno(path, async () => {
    await using file = await openFile(path);
    const info = infoOf(path, await file.stat());
    await call.json(info);
    const end = args.offset + (args.length ?? Number.MAX_SAFE_INTEGER - args.offset);
    for (let at = args.offset; at < end; ) {
      call.signal.throwIfAborted();
      // A buffer is handed on, so each piece needs its own; a small file needs no large one.
      const wanted = Math.min(PIECE_BYTES, end - at, Math.max(4_096, info.size - at));
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      await call.send(FRAME.data, buffer.subarray(0, bytesRead));
    }
  });
}
