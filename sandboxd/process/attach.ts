import type { z } from 'zod';
import { CodedError } from '../../src/protocol/errors.ts';
import { FRAME, type FrameKind } from '../../src/protocol/frames.ts';
import type { ProcessAttach } from '../../src/protocol/sandboxd.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import type { Ring } from './ring.ts';
import { describe } from './table.ts';

const PIECE_BYTES = 64 * 1024;

interface Reader {
  kind: FrameKind;
  ring: Ring;
  /** Offset of the next byte to send. */
  at: number;
}

/** Streams what a background process has printed, from an offset of each stream, as far as it is kept. */
export async function attachProcess(
  args: z.infer<typeof ProcessAttach>,
  call: Call,
  daemon: Daemon,
): Promise<void> {
  const listed = daemon.processes.get(args.id);
  const { kept } = listed;
  if (!kept) {
    throw new CodedError('INVALID_ARGUMENT', `The process ${args.id} runs in the foreground of its caller.`);
  }
  const stdout: Reader = { kind: FRAME.data, ring: kept.stdout, at: args.stdout_from };
  const stderr: Reader = { kind: FRAME.stderr, ring: kept.stderr, at: args.stderr_from };
  const readers = [stdout, stderr];
  const tell = () =>
    call.json({ event: 'attached', stdout_at: stdout.at, stderr_at: stderr.at, info: describe(listed) });
  skipLost(readers);
  await tell();

  let more = Promise.withResolvers<void>();
  const wake = (): void => more.resolve();
  kept.followers.add(wake);
  call.signal.addEventListener('abort', wake, { once: true });
  try {
    for (;;) {
      more = Promise.withResolvers();
      const over = listed.ended !== null;
      if (skipLost(readers)) void tell()?.catch(() => {});
      // Taken before anything is waited for: the ring may move on meanwhile.
      const pieces = readers.map((reader) => ({ kind: reader.kind, bytes: take(reader) }));
      for (const { kind, bytes } of pieces) if (bytes.length > 0) await call.send(kind, bytes);
      if (pieces.some(({ bytes }) => bytes.length > 0)) continue;
      if (over || !args.follow || call.signal.aborted) break;
      await more.promise;
    }
  } finally {
    kept.followers.delete(wake);
    call.signal.removeEventListener('abort', wake);
  }
  await tell();
}

/** Moves to what the rings still hold. @returns whether bytes were missed */
function skipLost(readers: Reader[]): boolean {
  let missed = false;
  for (const reader of readers) {
    // An offset ahead of what has been printed is waited for.
    const at = Math.max(reader.at, reader.ring.start);
    missed ||= at !== reader.at;
    reader.at = at;
  }
  return missed;
}

function take(reader: Reader): Buffer {
  const bytes = reader.ring.read(reader.at, PIECE_BYTES);
  reader.at += bytes.length;
  return bytes;
}
