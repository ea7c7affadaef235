import { Readable } from 'node:stream';
import { FRAME, type Frame } from '../../protocol/frames.ts';
import { ArchiveMessage, CALLS, FileInfo, FileListing, Nothing } from '../../protocol/sandboxd.ts';
import type { Sandbox } from '../sandbox.ts';
import type { Caller } from './connect-sandbox.ts';
import { onlyMessage, parseMessage, unexpected } from './messages.ts';

type Methods = Pick<Sandbox, 'stat' | 'list' | 'read' | 'write' | 'move' | 'remove' | 'mkdir' | 'archive'>;

export function fileMethods(call: Caller): Methods {
  return {
    stat: (path, { signal } = {}) =>
      onlyMessage(FileInfo, call({ path: CALLS.fileStat, args: { path }, signal })),
    list: (path, { signal, depth, limit } = {}) =>
      onlyMessage(FileListing, call({ path: CALLS.fileList, args: { path, depth, limit }, signal })),
    async read(path, { signal, offset, length } = {}) {
      const frames = call({ path: CALLS.fileRead, args: { path, offset, length }, signal });
      const first = await frames.next();
      if (first.done || first.value.kind !== FRAME.json) throw unexpected();
      const info = parseMessage(FileInfo, first.value);
      return { info, bytes: Readable.from(payloads(frames), { objectMode: false }) };
    },
    write: (path, bytes, { signal, mode, append } = {}) =>
      onlyMessage(
        FileInfo,
        call({
          path: CALLS.fileWrite,
          args: { path, mode, append },
          input: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
          signal,
        }),
      ),
    async move(from, to, { signal, overwrite } = {}) {
      await onlyMessage(Nothing, call({ path: CALLS.fileMove, args: { from, to, overwrite }, signal }));
    },
    async remove(path, { signal, recursive } = {}) {
      await onlyMessage(Nothing, call({ path: CALLS.fileRemove, args: { path, recursive }, signal }));
    },
    async mkdir(path, { signal, mode } = {}) {
      await onlyMessage(Nothing, call({ path: CALLS.fileMkdir, args: { path, mode }, signal }));
    },
    async *archive(request, { signal } = {}) {
      for await (const frame of call({ path: CALLS.archive, args: request, signal })) {
        if (frame.kind === FRAME.json) yield parseMessage(ArchiveMessage, frame);
        else yield frame.payload;
      }
    },
  };
}

async function* payloads(frames: AsyncIterable<Frame>): AsyncGenerator<Buffer> {
  for await (const frame of frames) {
    if (frame.kind !== FRAME.data) throw unexpected();
    yield frame.payload;
  }
}
